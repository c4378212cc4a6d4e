"""The server is known by its URL alone: ACCEPTANCE_URL, with ACCEPTANCE_API_KEY where it wants one."""

import os

import pytest
from letta_client import Letta

MODEL = "perdure/demo"


@pytest.fixture(scope="session")
def client() -> Letta:
    return Letta(base_url=os.environ["ACCEPTANCE_URL"], api_key=os.environ.get("ACCEPTANCE_API_KEY") or "none", max_retries=0)


@pytest.fixture
def agent(client: Letta):
    agent = client.agents.create(
        model=MODEL,
        memory_blocks=[{"label": "human", "value": ""}, {"label": "persona", "value": "I am Ada."}],
        tags=["python"],
    )
    yield agent
    client.agents.delete(agent.id)
