import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """As in the tests themselves: in whole runs that they are compared with."""
    torch.set_num_threads(1)
