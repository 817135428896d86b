// BullMQ with ioredis: one process, eight jobs at a time, completed jobs removed as its guide for production says.
//
//     node bullmq.mjs worker
//     node bullmq.mjs TASK NUMBERS...          the words of produce.py

import { createHash } from "node:crypto";
import { openSync, statSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue, Worker } from "bullmq";
import IORedis from "ioredis";

const path = process.env.BENCH_REDIS_URL.replace("unix://", "").split("?")[0];
const connection = new IORedis({ path, maxRetriesPerRequest: null });
const stamps = process.env.BENCH_STAMPS;
let file;

function writeStamp(wanted) {
  file ??= openSync(stamps, "a");
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeBigInt64LE(BigInt(wanted), 0);
  bytes.writeBigInt64LE(process.hrtime.bigint(), 8);
  writeSync(file, bytes);
}

const jobs = {
  nothing: async () => {},
  stamp: async (wanted) => writeStamp(wanted),
  pause: async (ms) => {
    await sleep(ms);
    writeStamp(0);
  },
  compute: async (rounds) => {
    let digest = Buffer.alloc(0);
    for (let number = 0; number < rounds; number++) {
      const eight = Buffer.alloc(8);
      eight.writeBigInt64LE(BigInt(number));
      digest = createHash("sha256").update(digest).update(eight).digest();
    }
    writeStamp(0);
  },
  hold: async (ms) => {
    writeStamp(process.pid);
    await sleep(ms);
  },
};

const [task, ...words] = process.argv.slice(2);
if (task === "worker") {
  const worker = new Worker("bench", (job) => jobs[job.name](job.data.arg), { connection, concurrency: 8 });
  process.on("SIGTERM", async () => {
    await worker.close(true);
    process.exit(0);
  });
} else {
  const queue = new Queue("bench", { connection, defaultJobOptions: { removeOnComplete: true, attempts: 3 } });
  const started = () => {
    try {
      return Math.floor(statSync(stamps).size / 16);
    } catch {
      return 0;
    }
  };
  const numbers = words.map(Number);
  const many = async (name, count, arg, opts) => {
    for (let at = 0; at < count; at += 1000) {
      const some = Math.min(1000, count - at);
      await queue.addBulk(Array.from({ length: some }, () => ({ name, data: { arg }, opts })));
    }
  };
  const measured = async (count, run) => {
    await queue.add("nothing", { arg: "" });
    const begin = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    await run();
    const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
    const used = process.cpuUsage(cpu);
    return { per_second: count / seconds, cpu_us: (used.user + used.system) / count };
  };
  const between = (least, most) => least + Math.random() * (most - least);
  const tasks = {
    fill: () => many(words[0], numbers[1], numbers[2]),
    one_by_one: () =>
      measured(numbers[0], async () => {
        for (let n = 0; n < numbers[0]; n++) await queue.add("nothing", { arg: "x".repeat(numbers[1]) });
      }),
    in_bulk: () => measured(numbers[0], () => many("nothing", numbers[0], "x".repeat(numbers[1]))),
    one_at_a_time: async () => {
      const before = started();
      for (let n = 0; n < numbers[0]; n++) {
        await sleep(between(numbers[1], numbers[2]) * 1000);
        await queue.add("stamp", { arg: String(process.hrtime.bigint()) });
        while (started() <= before + n) await sleep(2);
      }
    },
    far: () => many("nothing", numbers[0], "", { delay: 3_600_000 }),
    near: async () => {
      for (let n = 0; n < numbers[0]; n++) {
        const delay = Math.round(between(numbers[1], numbers[2]) * 1000);
        const wanted = process.hrtime.bigint() + BigInt(delay) * 1_000_000n;
        await queue.add("stamp", { arg: String(wanted) }, { delay });
      }
    },
  };
  console.log(JSON.stringify((await tasks[task]()) ?? {}));
  process.exit(0);
}
