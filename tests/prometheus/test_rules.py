"""Each alert fires for what it is about, after the time it says, and for nothing else; Prometheus' own tool judges."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
MINUTES = 60
P = "worker_service_"
NOTHING = "_"

WELL = {
    f"{P}up": "1",
    f"{P}workers": "2",
    f"{P}canary_age_seconds": "61",
    f"{P}workers_stalled": "0",
    f"{P}threads": "16",
    f"{P}jobs_running": "3",
    f"{P}wanted_threads": "3",
    f'{P}queue_jobs{{queue="default",state="queued"}}': "0",
    f'{P}queue_oldest_seconds{{queue="default"}}': "3",
    f'{P}jobs_started_total{{actor="add"}}': "0+60",
    f'{P}jobs_finished_total{{actor="add",outcome="succeeded"}}': "0+55",
    f'{P}jobs_finished_total{{actor="add",outcome="dead"}}': "0",
    f'{P}jobs_returned_total{{actor="add",outcome="retried"}}': "0+5",
    f'{P}jobs_returned_total{{actor="add",outcome="crashed"}}': "0",
    f'{P}schedules{{state="damaged"}}': "0",
    f'{P}schedule_lag_seconds{{schedule="nightly"}}': "2",
    f'{P}schedule_missed_total{{schedule="nightly"}}': "4",
    f"{P}schedulers": "2",
    f"{P}scheduler_leads": "1",
    f'{P}http_jobs_rejected_total{{problem="invalid-job"}}': "0+9",
    f'{P}http_jobs_rejected_total{{problem="queue-full"}}': "2",
    f"{P}http_internal_errors_total": "1",
    f"{P}redis_memory_bytes": "600",
    f"{P}redis_memory_limit_bytes": "1000",
    f"{P}redis_evicted_keys_total": "7",
    f"{P}redis_persistence_ok": "1",
}
"""Samples of an hour, one a minute: what stands there for all of it, or what each minute adds."""

ILL: dict[str, list[dict[str, str]]] = {
    "WebAway": [{f"{P}up": NOTHING}],
    "JobStoreAway": [{f"{P}up": "0"}],
    "NoWorker": [{f"{P}workers": "0"}],
    "WorkerStalled": [{f"{P}workers_stalled": "1"}],
    "QueueNotDraining": [{f'{P}queue_oldest_seconds{{queue="default"}}': "0+60"}],
    "CanaryOld": [{f"{P}canary_age_seconds": "301"}],
    "NothingEnds": [
        {
            f"{P}wanted_threads": "30",
            f'{P}jobs_finished_total{{actor="add",outcome="succeeded"}}': "9",
            f'{P}jobs_returned_total{{actor="add",outcome="retried"}}': "9",
        }
    ],
    "JobsDead": [{f'{P}jobs_finished_total{{actor="add",outcome="dead"}}': "0x54 1x10"}],
    "JobsFail": [
        {f'{P}jobs_returned_total{{actor="add",outcome="retried"}}': "0+40"},
        {f'{P}jobs_returned_total{{actor="add",outcome="crashed"}}': "0+40"},
    ],
    "ScheduleOverdue": [{f'{P}schedule_lag_seconds{{schedule="nightly"}}': "31"}],
    "ScheduleMissed": [{f'{P}schedule_missed_total{{schedule="nightly"}}': "4x50 5x10"}],
    "ScheduleDamaged": [{f'{P}schedules{{state="damaged"}}': "1"}],
    "NoScheduler": [{f"{P}schedulers": "0", f"{P}scheduler_leads": "0"}],
    "NoLeadingScheduler": [{f"{P}scheduler_leads": "0"}],
    "IntakeRefuses": [{f'{P}http_jobs_rejected_total{{problem="queue-full"}}': "2+1"}],
    "WebFails": [{f"{P}http_internal_errors_total": "1x56 2x10"}],
    "RedisMemory": [{f"{P}redis_memory_bytes": "701"}],
    "RedisEvicts": [{f"{P}redis_evicted_keys_total": "7x54 8x10"}],
    "RedisDisk": [{f"{P}redis_persistence_ok": "0"}],
}
"""Alert -> in what else of the samples it sees what it is about."""

HARMLESS: dict[str, dict[str, str]] = {
    "threads are busy with long jobs and nothing waits": {
        f'{P}jobs_finished_total{{actor="add",outcome="succeeded"}}': "9",
        f'{P}jobs_returned_total{{actor="add",outcome="retried"}}': "9",
    },
    "two of three attempts failed": {
        f'{P}jobs_started_total{{actor="add"}}': "0x51 3x10",
        f'{P}jobs_returned_total{{actor="add",outcome="retried"}}': "0x51 2x10",
    },
    "the server has no limit of its memory": {
        f"{P}redis_memory_bytes": "99999",
        f"{P}redis_memory_limit_bytes": "0",
    },
    "a job waited for nine minutes": {f'{P}queue_oldest_seconds{{queue="default"}}': "540"},
}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def firing(promtool: str, folder: Path, samples: dict[str, str]) -> set[str]:
    """The alerts that fire after an hour of these samples, each twice, of two web processes."""

    def with_labels(series: str, instance: str) -> str:
        name, _, labels = series.removesuffix("}").partition("{")
        given = [labels] if labels else []
        return name + "{" + ",".join([*given, 'job="jobs"', f'instance="{instance}"']) + "}"

    def whole(values: str) -> str:
        return values if " " in values else f"{values}x{MINUTES}"

    series = [
        {"series": with_labels(name, instance), "values": whole(values)}
        for name, values in samples.items()
        for instance in ("a", "b")
    ]
    found = set()
    for rule in rules():
        test = {
            "rule_files": [str(ALERTS)],
            "evaluation_interval": "1m",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": series,
                    "alert_rule_test": [
                        {"eval_time": f"{MINUTES}m", "alertname": rule["alert"], "exp_alerts": []}
                    ],
                }
            ],
        }
        file = folder / f"{rule['alert']}.yml"
        file.write_text(json.dumps(test))
        done = subprocess.run(
            [promtool, "test", "rules", file], capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            assert f"alertname: {rule['alert']}" in done.stdout + done.stderr, done.stdout + done.stderr
            found.add(rule["alert"])
    return found


def test_file_is_one_that_prometheus_reads(promtool: str):
    done = subprocess.run(
        [promtool, "check", "rules", ALERTS], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout


def test_none_fires_when_all_is_well(promtool: str, tmp_path: Path):
    assert firing(promtool, tmp_path, WELL) == set()


@pytest.mark.parametrize("harmless", HARMLESS)
def test_none_fires_though(promtool: str, tmp_path: Path, harmless: str):
    assert firing(promtool, tmp_path, WELL | HARMLESS[harmless]) == set()


@pytest.mark.parametrize("alert", [rule["alert"] for rule in rules()])
def test_it_fires_for_what_it_is_about_and_no_other_does(promtool: str, tmp_path: Path, alert: str):
    for ill in ILL[alert]:
        assert firing(promtool, tmp_path, WELL | ill) == {alert}


def test_number_that_it_tells_does_not_grow_with_the_web_processes(promtool: str, tmp_path: Path):
    series = [
        {
            "series": f'{P}jobs_finished_total{{actor="add",outcome="dead",job="jobs",instance="{instance}"}}',
            "values": "0x50 11x10",
        }
        for instance in ("a", "b", "c")
    ]
    expr = next(rule["expr"] for rule in rules() if rule["alert"] == "JobsDead")
    told = [{"labels": '{actor="add",job="jobs"}', "value": 11}]
    test = {
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [
                    {
                        "expr": expr.replace("increase", "delta").replace("[10m]", "[50m]"),
                        "eval_time": "60m",
                        "exp_samples": told,
                    }
                ],
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps(test))
    done = subprocess.run(
        [promtool, "test", "rules", file], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
