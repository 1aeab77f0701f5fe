"""200 people: a campaign in one task."""

from airflow.sdk import DAG

from airflow_provider_osonsms.operators.osonsms import OsonSmsCampaignOperator

PEOPLE = [{"phone": f"9929000{row:05}", "name": f"Мизоҷ {row}"} for row in range(200)]
TEXT = "Салом, {name}! Фармоиши шумо омода аст."

with DAG("bench_campaign", schedule=None):
    OsonSmsCampaignOperator(task_id="send", recipients=PEOPLE, message=TEXT, sender="SHOP")
