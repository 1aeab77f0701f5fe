"""What is sent for a task, exactly once: keys, journal and the order of their steps. Knows no Airflow."""
