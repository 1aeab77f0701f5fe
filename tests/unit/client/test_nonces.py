"""Nonces of questions: fresh ones each time, whatever a DAG or a worker does to the process."""

import random
import subprocess
import sys

from airflow_provider_osonsms.client.blocking import make_nonce

FORK = """
import os
from airflow_provider_osonsms.client.blocking import make_nonce

for _ in range(2):
    child = os.fork()
    if child == 0:
        print(make_nonce(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
print(make_nonce())
"""


def test_a_dag_that_seeds_its_random_numbers() -> None:
    """A seed repeats no nonce, and a nonce takes nothing of the numbers that the DAG draws."""
    nonces = set()
    for _ in range(3):
        random.seed(0)
        before = random.getstate()
        nonces.add(make_nonce())
        assert random.getstate() == before

    assert len(nonces) == 3


def test_a_worker_that_forks() -> None:
    """Each task of a worker that has imported the provider makes nonces of its own."""
    printed = subprocess.run([sys.executable, "-c", FORK], capture_output=True, check=True, text=True).stdout

    assert len(set(printed.split())) == 3
