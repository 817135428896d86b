# Sidekiq as Debian ships it: eight threads. It is loaded by `sidekiq -r`, and sends jobs by itself:
# ruby sidekiq.rb TASK NUMBERS... , the words of produce.py.
#
# A job is gone from Redis once it is fetched (its free version): there is no acknowledgement to switch on.

require 'json'
require 'digest'
require 'sidekiq'

server = { url: ENV.fetch('BENCH_REDIS_URL').sub(/\?.*/, '') }
Sidekiq.configure_server { |config| config.redis = server; config.logger.level = Logger::WARN }
Sidekiq.configure_client { |config| config.redis = server }

def now_ns = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

def write_stamp(wanted)
  $stamps ||= File.open(ENV.fetch('BENCH_STAMPS'), 'ab')
  $stamps.syswrite([wanted, now_ns].pack('q<q<'))
end

class Nothing; include Sidekiq::Worker; def perform(payload = ''); end; end
class Stamp; include Sidekiq::Worker; def perform(wanted) = write_stamp(wanted); end
class Pause; include Sidekiq::Worker; def perform(ms) = (sleep(ms / 1000.0); write_stamp(0)); end
class Hold; include Sidekiq::Worker; def perform(ms) = (write_stamp(Process.pid); sleep(ms / 1000.0)); end

class Compute
  include Sidekiq::Worker

  def perform(rounds)
    digest = ''
    rounds.times { |number| digest = Digest::SHA256.digest(digest + [number].pack('q<')) }
    write_stamp(0)
  end
end

JOBS = { 'nothing' => Nothing, 'stamp' => Stamp, 'pause' => Pause, 'compute' => Compute, 'hold' => Hold }.freeze

def measured(count)
  begin_at, cpu = now_ns, Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
  yield
  seconds = (now_ns - begin_at) / 1e9
  cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - cpu
  { per_second: count / seconds, cpu_us: cpu / count * 1e6 }
end

def send_many(job, count, args)
  Array.new(count) { args }.each_slice(1000) { |rows| Sidekiq::Client.push_bulk('class' => job, 'args' => rows) }
end

def started = File.size?(ENV.fetch('BENCH_STAMPS')).to_i / 16

def one_at_a_time(count, least, most)
  before = started
  count.times do |number|
    sleep(rand(least..most))
    Stamp.perform_async(now_ns)
    sleep(0.002) until started > before + number
  end
end

def near(count, first, last)
  count.times do
    delay = rand(first..last)
    Stamp.perform_in(delay, now_ns + (delay * 1e9).round)
  end
end

if $PROGRAM_NAME == __FILE__
  task, *words = ARGV
  result =
    case task
    when 'fill' then send_many(JOBS.fetch(words[0]), words[1].to_i, words[2..].map(&:to_i))
    when 'one_by_one' then Nothing.perform_async('')
                           measured(words[0].to_i) { words[0].to_i.times { Nothing.perform_async('x' * words[1].to_i) } }
    when 'in_bulk' then Nothing.perform_async('')
                        measured(words[0].to_i) { send_many(Nothing, words[0].to_i, ['x' * words[1].to_i]) }
    when 'one_at_a_time' then one_at_a_time(words[0].to_i, words[1].to_f, words[2].to_f)
    when 'far' then words[0].to_i.times { Nothing.perform_in(3600, '') }
    when 'near' then near(words[0].to_i, words[1].to_f, words[2].to_f)
    else abort "unknown task #{task}"
    end
  puts JSON.generate(result.is_a?(Hash) ? result : {})
end
