"""What Airflow reads about the provider, and what a DAG file costs to parse."""

import json
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import distribution, entry_points
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_osonsms import get_provider_info
from airflow_provider_osonsms.hooks.osonsms import OsonSmsHook

ROOT = Path(__file__).parent.parent.parent
DAGS = sorted((ROOT / "example_dags").glob("*.py"))


def test_provider_info_fits_airflow():
    """The metadata fits Airflow's schema, and its package name is the distribution's canonical name."""
    import airflow

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    info = get_provider_info()

    jsonschema.validate(info, schema)
    assert info["package-name"] == distribution("airflow-provider-osonsms").metadata["name"]
    (point,) = [point for point in entry_points(group="apache_airflow_provider") if "osonsms" in point.value]
    assert point.load()() == info


def test_named_modules_exist():
    """Every module and class that the metadata names can be imported."""
    info = get_provider_info()

    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in info[kind]:
            for module in entry["python-modules"]:
                import_module(module)
    for path in (*info["notifications"], *(one["class-name"] for one in info["task-decorators"])):
        module, _, name = path.rpartition(".")
        assert callable(getattr(import_module(module), name))
    for link in info["extra-links"]:
        module, _, name = link.rpartition(".")
        assert getattr(import_module(module), name)().name == "Delivery report"
    module, _, name = info["connection-types"][0]["hook-class-name"].rpartition(".")
    assert getattr(import_module(module), name) is OsonSmsHook


def test_connection_form():
    """The form has a labelled, described field for every extra, the sender first, and the port of the Test.

    Airflow 3.3 shows no placeholders of extra fields, so each example stands in a description.
    """
    (form,) = get_provider_info()["connection-types"]

    assert next(iter(form["conn-fields"])) == "sender"
    assert set(form["conn-fields"]) == {
        "sender",
        "auth_scheme",
        "bulk_url",
        "timeout",
        "key_namespace",
        "price_per_part",
        "allowed_phones",
        "suppression",
        "max_rate",
    }
    assert all(field["label"] and field["description"] for field in form["conn-fields"].values())
    without_example = [
        name
        for name, field in form["conn-fields"].items()
        if "enum" not in field["schema"] and not re.search(r"Example[^:]*: \S+", field["description"])
    ]
    assert without_example == []
    behavior = form["ui-field-behaviour"]
    assert set(behavior["relabeling"]) == {"host", "port", "login", "password"}
    assert set(behavior["placeholders"]) == set(behavior["relabeling"])
    required = [name for name, label in behavior["relabeling"].items() if "required" in label]
    assert required == ["login", "password"]
    assert form["conn-fields"]["sender"]["description"].startswith("Required")


@pytest.fixture(scope="module")
def parsed_twice():
    """For every example DAG, from two processes: the slow modules it imports, and how Airflow stores it."""
    code = (
        "import json, runpy, sys\n"
        "from airflow.sdk import DAG, BaseOperator, task\n"
        "slow = {'pandas', 'numpy', 'pyarrow', 'uvloop', 'aiohttp', 'requests', 'urllib3'}\n"
        "before = slow & set(sys.modules)\n"
        "dags, imported = [], []\n"
        "for path in sys.argv[1:]:\n"
        "    dags.append(runpy.run_path(path)['dag'])\n"
        "    imported.append(sorted(slow & set(sys.modules) - before))\n"
        "try:\n    from airflow.serialization.serialized_objects import DagSerialization as SerializedDAG\n"
        "except ImportError:\n    from airflow.serialization.serialized_objects import SerializedDAG\n"
        "for dag, modules in zip(dags, imported):\n"
        "    assert dag.task_ids\n"
        "    stored = json.dumps(SerializedDAG.to_dict(dag), sort_keys=True, default=str)\n"
        "    print('DAG', json.dumps([sorted(before), modules, stored]))\n"
    )
    command = [sys.executable, "-c", code, *map(str, DAGS)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate()[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    parses = [[json.loads(line[4:]) for line in lines if line.startswith("DAG ")] for lines in outputs]
    return dict(zip(DAGS, zip(*parses, strict=True), strict=True))


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_parsing_imports_nothing_slow(path, parsed_twice, has_state_store):
    """Parsing an example DAG imports no pandas, uvloop or aiohttp (Airflow 3.0 imports aiohttp itself)."""
    for before, imported, _ in parsed_twice[path]:
        assert imported == []
        assert before == [] or not has_state_store


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_parsing_twice_is_the_same_dag(path, parsed_twice):
    """Two processes parse the same DAG of a file, so that no parse makes a new DAG version."""
    (_, _, first), (_, _, second) = parsed_twice[path]

    assert first == second
    assert path.stem in first
    assert "0x" not in first


def test_airflow_builds_the_form(has_state_store):
    """The API server makes a form of it: every extra, labels, and the secret in the password field."""
    if not has_state_store:
        pytest.importorskip("flask_appbuilder", reason="Airflow 3.0 builds no form without FlaskAppBuilder")
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (form,) = [hook for hook in HookMetaService.hook_meta_data() if hook.connection_type == "osonsms"]

    assert form.hook_name == "OsonSMS"
    assert set(form.extra_fields) == set(get_provider_info()["connection-types"][0]["conn-fields"])
    assert form.standard_fields.password.title.startswith("Salt")
    assert form.standard_fields.host.placeholder == "https://api.osonsms.com"
    assert not form.standard_fields.port.hidden


@pytest.mark.parametrize("module", ["hooks", "operators", "sensors", "links"])
def test_airflow_2_is_told_in_a_sentence(module):
    """Importing beside Airflow 2, which has no ``airflow.sdk``, says what is needed and nothing else."""
    code = (
        "import airflow, sys\n"  # before: the logging of Airflow 3.0 needs the SDK itself
        "for name in [name for name in sys.modules if name.startswith('airflow.sdk')]:\n"
        "    del sys.modules[name]\n"
        "from importlib.abc import MetaPathFinder\n"
        "class Airflow2(MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'airflow.sdk' or name.startswith('airflow.sdk.'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name='airflow.sdk')\n"
        "sys.meta_path.insert(0, Airflow2())\n"
        f"import airflow_provider_osonsms.{module}.osonsms\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: airflow-provider-osonsms needs Apache Airflow 3.0 or newer: this is Airflow 2, which "
        "has no airflow.sdk. Upgrade Airflow, or leave this provider out"
    )
    assert "During handling" not in done.stderr
