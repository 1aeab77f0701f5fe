"""200 people: a mapped task for each, as it is done without this package."""

import os
from hashlib import sha256

from airflow.providers.http.operators.http import HttpOperator
from airflow.sdk import DAG

PEOPLE = [{"phone": f"9929000{row:05}", "name": f"Мизоҷ {row}"} for row in range(200)]
TEXT = "Салом, {name}! Фармоиши шумо омода аст."


def make_params(person: dict[str, str]) -> dict[str, str]:
    """Write the parameters of a GET; the txn_id is made of the run, so the hash is a template too."""
    return {
        "from": "SHOP",
        "phone_number": person["phone"],
        "msg": TEXT.format(**person),
        "login": os.environ["BENCH_LOGIN"],
        "txn_id": f"{{{{ txn_id(run_id, {person['phone']!r}) }}}}",
        "str_hash": f"{{{{ sign(run_id, {person['phone']!r}) }}}}",
    }


def make_id(run_id: str, phone: str) -> str:
    """Make a txn_id."""
    return sha256(f"{run_id}{phone}".encode()).hexdigest()[:32]


def sign(run_id: str, phone: str) -> str:
    """Sign the parameters (§2.1)."""
    fields = (make_id(run_id, phone), os.environ["BENCH_LOGIN"], "SHOP", phone, os.environ["BENCH_SECRET"])
    return sha256(";".join(fields).encode()).hexdigest()


with DAG("bench_mapped", schedule=None, user_defined_macros={"txn_id": make_id, "sign": sign}):
    HttpOperator.partial(task_id="send", method="GET", endpoint="sendsms_v1.php", retries=0).expand(
        data=[make_params(person) for person in PEOPLE]
    )
