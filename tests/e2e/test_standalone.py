"""Scheduler, workers and triggerer of one ``airflow standalone``."""

def test_example_send(standalone, gateway):
    run = standalone.start_run("example_osonsms_send", {"phone": "992900000201"})
    print(run.wait())
    for t in ("send_sms", "wait_for_delivery", "check_balance"):
        print(run.task(t), run.xcom(t), run.logs(t))
    print(standalone.call("GET", "/api/v2/dags/example_osonsms_send/dagVersions"))
    print(standalone.call("GET", "/api/v2/importErrors"))
    print(standalone.home)
    assert 0
