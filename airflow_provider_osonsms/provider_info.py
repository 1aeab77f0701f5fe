"""The metadata of this provider for Airflow. Imports nothing, because every Airflow process reads it."""

from typing import Any

_INTEGRATION = "OsonSMS"
_PACKAGE = "airflow_provider_osonsms"

CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "sender": {
        "label": "Sender",
        "description": "Required, unless each task names one: a sender name that OsonSMS gave this account, "
        "at most 11 characters. Example: MYSHOP",
        "schema": {"type": ["string", "null"], "maxLength": 11},
    },
    "auth_scheme": {
        "label": "Authorization",
        "description": "hash: the password is the pass_salt_hash (protocol 1.5). bearer: it is a token "
        "(2.0).",
        "schema": {"type": ["string", "null"], "default": "hash", "enum": ["hash", "bearer"]},
    },
    "bulk_url": {
        "label": "Bulk address",
        "description": "Address of the cabinet that takes bulk jobs. Empty: https://cab.osonsms.com. Example "
        "for a simulated gateway: http://127.0.0.1:8025",
        "schema": {"type": ["string", "null"]},
    },
    "timeout": {
        "label": "Timeout",
        "description": "Seconds for connecting, 0.05 to 600; a request ends after twice as long. Example: 10",
        "schema": {"type": ["number", "null"], "default": 10, "minimum": 0.05, "maximum": 600},
    },
    "key_namespace": {
        "label": "Key namespace",
        "description": "A word for each installation that shares the account. It is part of the keys that "
        "are made: changing it later makes retries send again. Example: staging",
        "schema": {"type": ["string", "null"]},
    },
    "price_per_part": {
        "label": "Price per part",
        "description": "Somoni per billed part, 0 to 1000, for the cost of previews and campaigns. Example: "
        "0.12",
        "schema": {"type": ["string", "null"]},
    },
    "allowed_phones": {
        "label": "Allowed phones",
        "description": "For staging: the only numbers that may be texted, separated by commas. Empty: "
        "all numbers. Example: 992900000001, 992900000002",
        "schema": {"type": ["string", "null"], "format": "multiline"},
    },
    "suppression": {
        "label": "Suppression list",
        "description": "Path or URL of a file with the phones that are never texted: every campaign, bulk "
        "job and single message is checked against it. Example: /data/stop.csv",
        "schema": {"type": ["string", "null"]},
    },
    "max_rate": {
        "label": "Requests per second",
        "description": "Requests per second at most in campaigns and waits, evenly spread, 0.001 to 10000. "
        "Empty: no limit. Example: 20",
        "schema": {"type": ["number", "null"], "minimum": 0.001, "maximum": 10000},
    },
}
"""In the order of the form. Airflow 3.3 shows no placeholders of these fields, so the examples stand in the
descriptions."""

FIELD_BEHAVIOR: dict[str, Any] = {
    # The port is shown: Airflow 3.3.1 and 3.3.2 test no Connection that is stored without one.
    "hidden-fields": ["schema", "extra"],
    "relabeling": {
        "host": "Gateway address",
        "port": "Port: 443 (without it the Test button fails)",
        "login": "Login (required)",
        "password": "Salt (pass_salt_hash) or token (required)",
    },
    "placeholders": {
        "host": "https://api.osonsms.com",
        "port": "443",
        "login": "the login that OsonSMS gave you",
        "password": "the pass_salt_hash, or the token when the authorization is bearer",
    },
}


CONFIGURATION: dict[str, Any] = {
    "osonsms": {
        "description": "Settings of the provider for OsonSMS.",
        "options": {
            "report_root": {
                "description": "Folder or URL with which every report_path begins.",
                "version_added": "0.1.0",
                "type": "string",
                "example": "/data/reports",
                "default": "",
            },
            "report_base_url": {
                "description": "URL at which a browser finds report_root, for the link to a delivery report.",
                "version_added": "0.1.0",
                "type": "string",
                "example": "https://reports.example.tj/sms",
                "default": "",
            },
        },
    }
}


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata.

    ``package-name`` must equal the canonical distribution name, or every ``airflow`` command fails.
    """
    return {
        "package-name": "airflow-provider-osonsms",
        "name": _INTEGRATION,
        "description": "SMS through OsonSMS, the SMS gateway of Tajikistan: exactly once, tracked to "
        "delivery.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://osonsms.com",
                "tags": ["service"],
            }
        ],
        "connection-types": [
            {
                "connection-type": "osonsms",
                "hook-class-name": f"{_PACKAGE}.hooks.osonsms.OsonSmsHook",
                "hook-name": _INTEGRATION,
                "conn-fields": CONNECTION_FIELDS,
                "ui-field-behaviour": FIELD_BEHAVIOR,
            }
        ],
        **{
            kind: [{"integration-name": _INTEGRATION, "python-modules": [f"{_PACKAGE}.{kind}.osonsms"]}]
            for kind in ("hooks", "operators", "sensors", "triggers")
        },
        "notifications": [f"{_PACKAGE}.notifications.osonsms.OsonSmsNotifier"],
        "task-decorators": [
            {"name": "osonsms_campaign", "class-name": f"{_PACKAGE}.decorators.osonsms.osonsms_campaign_task"}
        ],
        "extra-links": [f"{_PACKAGE}.links.osonsms.OsonSmsDeliveryReportLink"],
        "config": CONFIGURATION,
    }
