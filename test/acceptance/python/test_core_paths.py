"""The core paths with the official Python client: what most programs do with agents."""

import json

import letta_client
import pytest
from letta_client import Letta

UNKNOWN = "01234567-89ab-4def-8123-456789abcdef"


def texts(messages) -> list[str]:
    return [m.content for m in messages if m.message_type == "assistant_message"]


def test_health(client: Letta):
    assert client.health().status == "ok"


def test_models(client: Letta):
    assert "perdure/demo" in [model.handle for model in client.models.list()]


def test_agent_life(client: Letta, agent):
    assert agent.id.startswith("agent-")
    assert [block.label for block in agent.memory.blocks] == ["human", "persona"]
    client.agents.update(agent.id, name="Ada II", description="second")
    read = client.agents.retrieve(agent.id, include=["agent.tags", "agent.blocks"])
    assert (read.name, read.description, read.tags) == ("Ada II", "second", ["python"])
    assert agent.id in [each.id for each in client.agents.list(tags=["python"])]


def test_an_agent_remembers(client: Letta, agent):
    response = client.agents.messages.create(agent.id, input="My name is Nils and I sail.")
    assert response.stop_reason.stop_reason == "end_turn"
    assert response.usage.total_tokens > 0
    assert texts(response.messages)
    assert "Nils" in client.agents.blocks.retrieve("human", agent_id=agent.id).value
    listed = list(client.agents.messages.list(agent.id))
    assert listed[0].message_type == "system_message"
    assert "My name is Nils and I sail." in [m.content for m in listed if m.message_type == "user_message"]
    assert client.agents.messages.list(agent.id, limit=1).items[0].id == listed[-1].id


def test_streams_steps_and_tokens(client: Letta, agent):
    chunks = list(client.agents.messages.stream(agent.id, messages=[{"role": "user", "content": "Hello"}]))
    kinds = [chunk.message_type for chunk in chunks if chunk.message_type != "ping"]
    assert kinds[-2:] == ["stop_reason", "usage_statistics"]
    whole = texts(chunks)
    pieces = list(client.agents.messages.stream(agent.id, input="Hello", stream_tokens=True))
    deltas = texts(pieces)
    assert len(deltas) > 1
    assert "".join(deltas).strip() and whole
    assert len({p.id for p in pieces if p.message_type == "assistant_message"}) == 1


def test_background_runs_can_be_followed(client: Letta, agent):
    stream = client.agents.messages.stream(agent.id, input="Hello", background=True, stream_tokens=True)
    first = [chunk for chunk in stream if chunk.message_type == "assistant_message"]
    run_id, seq_id = first[0].run_id, first[0].seq_id
    rest = list(client.runs.messages.stream(run_id, starting_after=seq_id))
    assert texts(first) == texts(first[:1]) + texts(rest)
    assert client.runs.retrieve(run_id).status == "completed"
    assert [run.id for run in client.runs.list(agent_id=agent.id)] == [run_id]
    assert client.runs.usage.retrieve(run_id).total_tokens > 0
    steps = list(client.runs.steps.list(run_id))
    assert client.steps.retrieve(steps[0].id).run_id == run_id
    assert client.steps.feedback.create(steps[0].id, feedback="positive").feedback == "positive"


def test_async_messages_and_cancel(client: Letta, agent):
    run = client.agents.messages.create_async(agent.id, input="Hello")
    list(client.runs.messages.stream(run.id))
    assert client.runs.retrieve(run.id).status == "completed"
    with pytest.raises(letta_client.ConflictError):
        client.agents.messages.cancel(agent.id)
    client.agents.messages.reset(agent.id)
    assert [m.message_type for m in client.agents.messages.list(agent.id)] == ["system_message"]


def test_blocks(client: Letta, agent):
    block = client.blocks.create(label="project", value="one", limit=100)
    client.agents.blocks.attach(block.id, agent_id=agent.id)
    client.agents.blocks.update("project", agent_id=agent.id, value="two")
    assert client.blocks.retrieve(block.id).value == "two"
    assert [each.id for each in client.blocks.agents.list(block.id)] == [agent.id]
    client.agents.blocks.detach(block.id, agent_id=agent.id)
    with pytest.raises(letta_client.UnprocessableEntityError):
        client.blocks.update(block.id, value="x" * 101)
    client.blocks.delete(block.id)
    with pytest.raises(letta_client.NotFoundError):
        client.blocks.retrieve(block.id)


def test_archival_memory(client: Letta, agent):
    [passage] = client.agents.passages.create(agent.id, text="The boat is called Perdita.", tags=["boat"])
    found = client.agents.passages.search(agent.id, query="boat", tags=["boat"])
    assert [result.content for result in found.results] == ["The boat is called Perdita."]
    client.agents.passages.delete(passage.id, agent_id=agent.id)
    assert client.agents.passages.search(agent.id, query="boat").count == 0


def test_archives(client: Letta, agent):
    archive = client.archives.create(name="shared")
    client.archives.passages.create(archive.id, text="The anchor weighs ten kilograms.")
    client.agents.archives.attach(archive.id, agent_id=agent.id)
    assert client.agents.passages.search(agent.id, query="anchor").count == 1
    client.agents.archives.detach(archive.id, agent_id=agent.id)
    client.archives.delete(archive.id)


def test_tools(client: Letta, agent):
    source = '''
def add(a: int, b: int = 1) -> int:
    """
    Adds two numbers.

    Args:
        a (int): The first number.
        b (int): The second number.
    """
    return a + b
'''
    tool = client.tools.upsert(source_code=source)
    assert (tool.name, tool.json_schema["parameters"]["required"]) == ("add", ["a"])
    assert client.tools.upsert(source_code=source).id == tool.id
    client.agents.tools.attach(tool.id, agent_id=agent.id)
    assert "add" in [each.name for each in client.agents.tools.list(agent.id, limit=50)]
    ran = client.agents.tools.run("add", agent_id=agent.id, args={"a": 2, "b": 3})
    assert (ran.status, ran.func_return) == ("success", "5")
    client.agents.tools.detach(tool.id, agent_id=agent.id)
    client.tools.delete(tool.id)
    with pytest.raises(letta_client.BadRequestError, match="Failed to derive json schema"):
        client.tools.create(source_code="def broken(a): return a")


def test_conversations(client: Letta, agent):
    conversation = client.conversations.create(agent_id=agent.id, summary="sailing")
    chunks = list(client.conversations.messages.create(conversation.id, input="My name is Nils."))
    assert texts(chunks)
    fork = client.conversations.fork(conversation.id)
    listed = [m.message_type for m in client.conversations.messages.list(fork.id, order="asc")]
    assert listed[:2] == ["system_message", "user_message"]
    client.conversations.delete(conversation.id)
    with pytest.raises(letta_client.NotFoundError):
        client.conversations.retrieve(conversation.id)


def test_folders_and_files(client: Letta, agent):
    folder = client.folders.create(name=f"log {agent.id}")
    file = client.folders.files.upload(folder.id, file=("log.txt", b"Monday: calm.\nTuesday: storm.\n"))
    client.agents.folders.attach(folder.id, agent_id=agent.id)
    assert [each.file_id for each in client.agents.files.list(agent.id)] == [file.id]
    client.agents.files.close_all(agent.id)
    client.folders.delete(folder.id)


def test_agent_files(client: Letta, agent):
    exported = client.agents.export_file(agent.id)
    document = json.loads(exported) if isinstance(exported, str) else exported
    imported = client.agents.import_file(file=json.dumps(document).encode())
    copy = client.agents.retrieve(imported.agent_ids[0])
    assert copy.name.endswith("_copy")
    client.agents.delete(copy.id)


def test_errors(client: Letta):
    with pytest.raises(letta_client.NotFoundError):
        client.agents.retrieve(f"agent-{UNKNOWN}")
    with pytest.raises(letta_client.UnprocessableEntityError):
        client.agents.retrieve("agent-nonsense")
