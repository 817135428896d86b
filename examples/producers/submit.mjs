// Asks for a job: node submit.mjs KEY < job.json
//
// Prints the answer; exit code 1 when the job was refused. submit() is what a program of yours would take from here.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const LATER = new Set([429, 502, 503, 504]);

/**
 * Creates a job.
 *
 * It is sent again when no answer comes, or one that means "later": the key, the same for the same work, keeps that
 * from making a second job.
 *
 * @param {object} job `{actor, args, ...}`, as for POST /v1/jobs
 * @param {string} key the Idempotency-Key
 * @returns {Promise<object>} the job
 * @throws {Error} when it is refused, or no attempt was answered
 */
export async function submit(job, key, { url, apiKey, attempts = 5 }) {
  for (let attempt = 1; ; attempt++) {
    let answer;
    try {
      answer = await fetch(`${url}/v1/jobs`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": key,
          ...(apiKey && { Authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify(job),
        signal: AbortSignal.timeout(10_000),
      });
      const body = await answer.json();
      if (answer.ok) return body;
      if (!LATER.has(answer.status)) throw new Refused(`${answer.status} ${body.title}: ${body.detail}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (attempt === attempts) throw error; // not reached, or cut off
    }
    if (attempt === attempts) throw new Error(`busy in ${attempts} attempts: ${answer.status}`);
    const asked = Number(answer?.headers.get("Retry-After") ?? 0);
    await sleep(1000 * Math.max(asked, Math.random() * 0.1 * 2 ** attempt));
  }
}

class Refused extends Error {}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const job = JSON.parse(readFileSync(0, "utf8"));
  const url = process.env.WORKER_SERVICE_URL ?? "http://127.0.0.1:8000";
  try {
    console.log(JSON.stringify(await submit(job, process.argv[2], { url, apiKey: process.env.WORKER_SERVICE_KEY })));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
