#!/bin/sh
# Asks for a job: ./submit.sh KEY < job.json
#
# Prints the answer; exit code 1 when the job was refused. It is sent again when no answer comes, or one that means
# "later" (408, 429, 5xx, with its Retry-After): KEY, the same for the same work, keeps that from making a second job.
set -eu
url=${WORKER_SERVICE_URL:-http://127.0.0.1:8000}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

status=$(curl --silent --show-error --max-time 10 --retry 5 --retry-all-errors --retry-max-time 60 \
    --header "Content-Type: application/json" \
    --header "Idempotency-Key: $1" \
    ${WORKER_SERVICE_KEY:+--header "Authorization: Bearer $WORKER_SERVICE_KEY"} \
    --data-binary @- --output "$answer" --write-out '%{http_code}' "$url/v1/jobs")
cat "$answer"
[ "$status" -lt 300 ]
