"""Starts MiniStack for Sluice: the pinned version, on loopback, with corrections.py and the observer's paths.

Nothing on disk is changed: the package is corrected in memory. Another version is refused, and so is one whose corrected
functions read otherwise than they did, so that an upgrade makes somebody look at each correction again (README.md, "Another version").

Environment, besides MiniStack's own:
  SLUICE_EMULATOR=stock          no correction at all: to see which faults are still there
  SLUICE_EMULATOR_CONCURRENCY=N  batches in flight per event source mapping, each of which is one Node process (3)
  SLUICE_EMULATOR_OWNED=1        ends with the process at the other end of its standard input, however that ends, and removes TMPDIR
"""
import importlib.metadata
import os
import shutil
import signal
import sys
import threading

PINNED = "1.5.33"


def end_with_owner():
    import observer

    while os.read(sys.stdin.fileno(), 4096):
        pass
    # Not by the signals that a server takes: it may hang in a custom resource, and a function may be stopped.
    for process in observer.processes():
        os.kill(process["pid"], signal.SIGKILL)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def main():
    found = importlib.metadata.version("ministack")
    if found != PINNED:
        raise SystemExit(f"launch.py is written for ministack {PINNED}, found {found}: see \"Another version\" in localstack/README.md")
    os.environ.setdefault("BIND_HOST", "127.0.0.1")  # MiniStack listens on every interface otherwise
    import corrections
    import observer

    applied = {}
    if os.environ.get("SLUICE_EMULATOR") != "stock":
        changed = corrections.changed_upstream()
        if changed:
            raise SystemExit("launch.py: these functions are not as they were when their corrections were written:\n  " + "\n  ".join(changed))
        applied = corrections.apply()
    auth = os.environ.get("AUTH", "").lower() in ("1", "true")
    observer.install({"ministack": found, "python": sys.version.split()[0], "pid": os.getpid(), "auth": auth, "corrections": applied})
    if os.environ.get("SLUICE_EMULATOR_OWNED") == "1":
        threading.Thread(target=end_with_owner, daemon=True).start()
    from ministack import app
    app.main()


if __name__ == "__main__":
    main()
