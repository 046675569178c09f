"""`python -m direct_plus.sandbox`: a Direct+ on this machine."""

import argparse

from direct_plus.sandbox.run import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m direct_plus.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port; 0 uses a free port")
    parser.add_argument("--state", help="file that keeps the data; default: in memory")
    parser.add_argument("--out", help="folder for delivered files; default: next to the state file")
    parser.add_argument("--demo", action="store_true", help="add sample companies with three months of history")
    parser.add_argument(
        "--every", type=float, default=5.0, metavar="SECONDS", help="time between live changes of the demo"
    )
    parser.add_argument("--key", help="API key (default: sandbox-key)")
    parser.add_argument("--secret", help="API secret (default: sandbox-secret)")
    parser.add_argument("--ready-file", metavar="FILE", help="file to write the URL to once the sandbox responds")
    serve(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
