"""python -m rrr_server COMMAND ENDPOINT …: tries a server that runs already."""

import argparse

import numpy as np

from .client import Client


def main():
    parser = argparse.ArgumentParser(prog="rrr_server", description="Asks a model server.")
    parser.add_argument("command", choices=["describe", "probe", "decode", "shutdown"])
    parser.add_argument("endpoint", help="where it listens, such as ipc:///tmp/model")
    parser.add_argument("samples", nargs="?", help="decode: samples.npy of a run, [chains, draws, ...]")
    parser.add_argument("pictures", nargs="?", help="decode: the file to write, .npy [chains, draws, ...]")
    arguments = parser.parse_args()
    if arguments.command == "decode" and arguments.pictures is None:
        parser.error("decode needs the files to read and to write")
    with Client(arguments.endpoint) as client:
        if arguments.command == "describe":
            print(client.describe(), end="")
        elif arguments.command == "probe":
            print(client.probe())
        elif arguments.command == "shutdown":
            client.shut_down()
        else:
            samples = np.load(arguments.samples)
            pictures = client.decode(samples.reshape(-1, *samples.shape[2:]))
            np.save(arguments.pictures, pictures.reshape(*samples.shape[:2], *pictures.shape[1:]))


if __name__ == "__main__":
    main()
