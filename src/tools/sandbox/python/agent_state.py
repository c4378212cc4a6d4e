"""What a tool sees as `agent_state`: as much of V1's class as tools use."""
from value_text import clean


class Block:
    def __init__(self, block):
        self.id = block['id']
        self.label = block['label']
        self.value = block['value']
        self.description = block['description']
        self.limit = block['limit']

    def __repr__(self):
        return f'Block(label={self.label!r}, value={self.value!r}, limit={self.limit})'


class Memory:
    def __init__(self, blocks):
        self.blocks = [Block(block) for block in blocks]

    def list_block_labels(self):
        return [block.label for block in self.blocks]

    def get_blocks(self):
        return self.blocks

    def get_block(self, label):
        for block in self.blocks:
            if block.label == label:
                return block
        raise KeyError(f'Block field {label} does not exist (available sections = {", ".join(self.list_block_labels())})')

    def update_block_value(self, label, value):
        if not isinstance(value, str):
            raise ValueError('Provided value must be a string')
        check_limit(label, value, self.get_block(label).limit)
        self.get_block(label).value = value


class AgentState:
    def __init__(self, view):
        self.id = view['id']
        self.name = view['name']
        self.description = view['description']
        self.memory = Memory(view['blocks'])
        self._before = {block['label']: (block['value'], block['limit']) for block in view['blocks']}

    @property
    def blocks(self):
        return self.memory.blocks

    def changes(self):
        """Values of the blocks that are not what they were. Raises where one is no text or too long."""
        out = {}
        for block in self.memory.blocks:
            if block.label not in self._before:
                continue
            before, limit = self._before[block.label]
            if block.value == before:
                continue
            if not isinstance(block.value, str):
                raise TypeError(f"The value of block '{block.label}' must be a string, not {type(block.value).__name__}")
            check_limit(block.label, block.value, limit)
            out[block.label] = clean(block.value)
        return out


def check_limit(label, value, limit):
    if len(value) > limit:
        raise ValueError(f"Edit failed: Exceeds {limit} character limit (requested {len(value)}) in block '{label}'")
