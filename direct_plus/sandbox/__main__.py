"""`python -m direct_plus.sandbox`: a Direct+ on this machine."""

import argparse

from direct_plus.sandbox.run import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m direct_plus.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", help="file that keeps everything; without it, memory")
    parser.add_argument("--out", help="folder for delivered files; default: beside the state")
    parser.add_argument("--demo", action="store_true", help="a world of companies with three months of history")
    parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="between live changes of the demo")
    parser.add_argument("--key", help="instead of sandbox-key")
    parser.add_argument("--secret", help="instead of sandbox-secret")
    parser.add_argument("--ready-file", metavar="FILE", help="gets the URL once the sandbox answers")
    serve(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
