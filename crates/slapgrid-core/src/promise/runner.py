# Checks the promises of one partition that are written as Python plugins. slapgrid starts it with
# the Python of the instance's release, as the partition's user, with this text as standard input and
# the job as its only argument. Each promise is checked in a process of its own; when that has ended,
# one line of JSON about it goes to standard output. Runs on Python 2.7 and 3.
import _strptime  # What plugins read dates with: loaded once, here, and not by each of them.
import ast
import errno
import fcntl
import gc
import json
import os
import select
import signal
import sys
import time
import traceback

# The most that is told of what a promise says or prints, in characters: the end.
MESSAGE_LIMIT = 5000
# The most that is read of what a promise reports about itself, in bytes.
REPORT_LIMIT = 1 << 18

# A clock that is not set back, where there is one.
now = getattr(time, 'monotonic', time.time)


def clip(text):
  if isinstance(text, bytes):
    text = text.decode('utf-8', 'replace')
  text = text.rstrip()
  return text if len(text) <= MESSAGE_LIMIT else '...' + text[-MESSAGE_LIMIT:]


def pipe():
  ends = os.pipe()
  for end in ends:
    # What a promise starts must not keep it.
    fcntl.fcntl(end, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    fcntl.fcntl(end, fcntl.F_SETFL, os.O_NONBLOCK)
  return ends


def print_error():
  """Prints the error that is being handled, without the part of the way that is ours."""
  kind, error, trace = sys.exc_info()
  while trace and trace.tb_frame.f_code.co_filename.startswith('<'):
    trace = trace.tb_next
  traceback.print_exception(kind, error, trace)


def search_path(path):
  """What the first assignment of a plugin puts before sys.path."""
  try:
    with open(path) as plugin:
      body = ast.parse(plugin.read()).body
    value = next(node.value for node in body if isinstance(node, ast.Assign))
    return [entry for entry in ast.literal_eval(value) if isinstance(entry, str)]
  except Exception:
    return []


class Deferred(object):
  """Finds modules that the library imports for other uses than promises, which take a third of its
  time to load: they are loaded when they are used."""

  @staticmethod
  def find_spec(name, path=None, _=None):
    if name not in ('slapos.slap', 'netaddr'):
      return None
    from importlib import machinery, util
    spec = machinery.PathFinder.find_spec(name, path)
    if spec and spec.loader:
      spec.loader = util.LazyLoader(spec.loader)
    return spec


def load_library(job):
  """Loads once what every plugin will import, unless they have it from different places."""
  paths = [search_path(os.path.join(job['folder'], name)) for name in job['names']]
  if any(path != paths[0] for path in paths):
    return
  sys.path[0:0] = paths[0]
  finders = list(sys.meta_path)
  if sys.version_info[0] > 2:
    sys.meta_path.insert(0, Deferred)
  try:
    import slapos.grid.promise.generic
  except Exception:
    pass  # The plugins meet the same error, and tell of it.
  sys.meta_path[:] = finders
  del sys.path[:len(paths[0])]


def load_plugin(name, path):
  module_name = os.path.splitext(name)[0]
  while module_name in sys.modules:
    module_name += '_'  # It is no replacement for a module of that name.
  if sys.version_info[0] == 2:
    import imp
    return imp.load_source(module_name, path)
  import importlib.util
  spec = importlib.util.spec_from_file_location(module_name, path)
  module = importlib.util.module_from_spec(spec)
  sys.modules[module_name] = module
  spec.loader.exec_module(module)
  return module


def promise_class(name, module):
  found = getattr(module, 'RunPromise', None)
  if found is None:
    raise ValueError('%s has no class RunPromise' % name)
  from slapos.grid.promise.interface import IPromise
  if not IPromise.implementedBy(found):
    raise ValueError('the class RunPromise of %s does not implement IPromise' % name)
  return found


def configuration(job, name, path, module, queue):
  config = dict(job['config'], name=name, path=path, queue=queue)
  extra = getattr(module, 'extra_config_dict', {})
  if not isinstance(extra, dict):
    raise ValueError('extra_config_dict of %s is not a dictionary' % name)
  for key, value in extra.items():
    if key in config:
      raise ValueError('extra_config_dict of %s may not set %r' % (name, key))
    config[key] = value
  return config


class Queue(object):
  """Takes the result of a promise."""
  result = None

  def put(self, item, *_):
    self.result = item.serialize()['result']

  put_nowait = put


def facts(promise):
  """What decides when the promise is checked next."""
  source = sys.modules[type(promise).__module__].__file__
  if source.endswith('.pyc'):
    source = source[:-1]
  return {
    'is_tested': bool(promise.isTested()),
    'is_anomaly_detected': bool(promise.isAnomalyDetected()),
    'periodicity': promise.getPeriodicity(),
    'module_file': source,
    'module_file_mtime': os.path.getmtime(source) if os.path.exists(source) else 0,
  }


def check(job, name, tell):
  """Checks a promise, in a process of its own."""
  path = os.path.join(job['folder'], name)
  sys.path.insert(0, job['folder'])
  queue = Queue()
  module = load_plugin(name, path)
  promise = promise_class(name, module)(configuration(job, name, path, module, queue))
  tell({'facts': facts(promise)})
  returned = []
  find_anomaly = promise.anomaly

  def anomaly():
    result = find_anomaly()
    returned.append(result)
    return result

  promise.anomaly = anomaly
  # Bangs are slapgrid's, so that several promises that run at once do not bang one after the other.
  promise.run(check_anomaly=job['anomaly'], can_bang=False)
  result = queue.result
  if result is None:
    raise ValueError('%s gave no result' % name)
  result['message'] = clip(result['message'] or '')
  found = returned and result['type'] == 'Anomaly Result' and result['failed']
  may_bang = getattr(promise, '_GenericPromise__allow_bang', True)
  tell({'result': result, 'bangs': bool(found and may_bang)})


def be_promise(job, name, output, report):
  """What the process of a promise does."""
  status = 1
  try:
    gc.enable()
    os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGCHLD):
      signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    # Should nobody be left to end it.
    signal.alarm(min(int(job['timeout']) + 10, 1 << 30))
    fcntl.fcntl(report, fcntl.F_SETFL, 0)
    fcntl.fcntl(output, fcntl.F_SETFL, 0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)

    def tell(document):
      os.write(report, json.dumps(document).encode('ascii') + b'\n')

    check(job, name, tell)
    status = 0
  except SystemExit as error:
    sys.stderr.write('it called sys.exit(%s)\n' % (error.code,))
  except BaseException:
    print_error()
  finally:
    try:
      sys.stdout.flush()
      sys.stderr.flush()
    finally:
      os._exit(status)


class Running(object):
  """A promise that is being checked."""

  def __init__(self, job, name):
    self.name = name
    self.timed_out = False
    self.output = b''
    self.report = b''
    output, output_end = pipe()
    report, report_end = pipe()
    self.start = now()
    self.deadline = self.start + job['timeout']
    self.pid = os.fork()
    if self.pid == 0:
      be_promise(job, name, output_end, report_end)
    try:
      os.setpgid(self.pid, self.pid)
    except OSError:
      pass  # It did so itself, or has ended.
    os.close(output_end)
    os.close(report_end)
    self.pipes = {output: 'output', report: 'report'}

  def read(self, descriptor):
    try:
      data = os.read(descriptor, 1 << 16)
    except OSError as error:
      if error.errno not in (errno.EAGAIN, errno.EINTR):
        raise
      return False
    if not data:
      os.close(descriptor)
      del self.pipes[descriptor]
    elif self.pipes[descriptor] == 'output':
      # A character has four bytes at most.
      self.output = (self.output + data)[-4 * MESSAGE_LIMIT:]
    elif len(self.report) < REPORT_LIMIT:
      self.report += data
    return bool(data)

  def kill(self):
    try:
      os.killpg(self.pid, signal.SIGKILL)
    except OSError:
      pass  # Nothing of the group is left.

  def conclude(self, status):
    """One line about the promise, whose process has ended."""
    # Nothing of a promise outlives it.
    self.kill()
    for descriptor in list(self.pipes):
      # What it started may hold a pipe and write for ever.
      for _ in range(16):
        if not self.read(descriptor):
          break
      if descriptor in self.pipes:
        os.close(descriptor)
    line = {
      'name': self.name,
      'seconds': now() - self.start,
      'timed_out': self.timed_out,
      'signal': os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
      'exit_status': os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
      'output': clip(self.output),
    }
    for text in self.report.splitlines():
      try:
        document = dict(json.loads(text.decode('ascii')))
      except (TypeError, ValueError):
        continue  # It was killed while it wrote, or wrote what is not ours.
      for key in ('facts', 'result', 'bangs'):
        line[key] = document.get(key, line.get(key))
    return line


class Supervisor(object):
  def __init__(self, job, lines):
    self.job = job
    self.lines = lines
    self.running = {}
    self.wakeup, wakeup_end = pipe()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup_end)
    signal.signal(signal.SIGTERM, self.end)

  def end(self, *_):
    for promise in self.running.values():
      promise.kill()
    os._exit(1)

  def run(self):
    try:
      self.check_all()
    except Exception:
      traceback.print_exc()
      sys.stderr.flush()
      self.end()

  def check_all(self):
    waiting = list(self.job['names'])
    while waiting or self.running:
      while waiting and len(self.running) < self.job['parallel']:
        promise = Running(self.job, waiting.pop(0))
        self.running[promise.pid] = promise
      self.watch()
      self.collect()

  def watch(self):
    """Reads what the promises write until one of them ends or takes too long."""
    left = min(promise.deadline for promise in self.running.values()) - now()
    pipes = dict((pipe, promise) for promise in self.running.values() for pipe in promise.pipes)
    try:
      ready = select.select([self.wakeup] + list(pipes), [], [], min(max(left, 0), 3600))[0]
    except select.error as error:
      if error.args[0] != errno.EINTR:
        raise
      return
    for descriptor in ready:
      if descriptor == self.wakeup:
        os.read(descriptor, 1 << 10)
      else:
        pipes[descriptor].read(descriptor)
    for promise in self.running.values():
      if promise.deadline <= now():
        promise.timed_out = True
        promise.deadline = float('inf')
        promise.kill()

  def collect(self):
    """Tells about the promises that have ended."""
    while self.running:
      pid, status = os.waitpid(-1, os.WNOHANG)
      if pid == 0:
        return
      promise = self.running.pop(pid, None)
      if promise is not None:
        line = json.dumps(promise.conclude(status)).encode('ascii') + b'\n'
        self.lines.write(line)
        self.lines.flush()


def main():
  job = json.loads(sys.argv[1])
  # Of the directory from which this text does not come.
  sys.path[:] = [entry for entry in sys.path if entry]
  sys.argv[1:] = []
  lines = os.fdopen(os.dup(1), 'wb')
  fcntl.fcntl(lines.fileno(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
  os.dup2(2, 1)
  gc.disable()  # What is loaded stays.
  load_library(job)
  if hasattr(gc, 'freeze'):
    gc.freeze()  # And its memory stays shared with the promises.
  Supervisor(job, lines).run()
  os._exit(0)  # To take apart what was loaded would take as long as to check all promises.


main()
