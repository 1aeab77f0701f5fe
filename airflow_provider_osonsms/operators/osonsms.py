"""The public import path of this provider's operators."""

from airflow_provider_osonsms.operators.balance import OsonSmsBalanceOperator
from airflow_provider_osonsms.operators.bulk import OsonSmsBulkCreateOperator
from airflow_provider_osonsms.operators.campaign import OsonSmsCampaignOperator
from airflow_provider_osonsms.operators.preview import OsonSmsCampaignPreviewOperator
from airflow_provider_osonsms.operators.send import OsonSmsSendOperator
from airflow_provider_osonsms.preflight.balance import BalanceTooLowError

__all__ = [
    "BalanceTooLowError",
    "OsonSmsBalanceOperator",
    "OsonSmsBulkCreateOperator",
    "OsonSmsCampaignOperator",
    "OsonSmsCampaignPreviewOperator",
    "OsonSmsSendOperator",
]
