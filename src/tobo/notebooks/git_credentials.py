"""Git's credential helper of a notebook instance: user name and password from a secret, read with the instance's role.

Called by git as `... SECRET_ARN get`; the value is JSON with `username` and `password`, as SageMaker wants it (Developer
Guide, "Associate Git repositories with notebook instances"). Nothing is stored: a token that was changed holds at once.
"""

import json
import sys
from typing import Any, NoReturn

MARK = "tobo: "
"""Begins the sentence that says why there is nothing; whoever runs git looks for it."""


def main() -> None:
    secret, deed = sys.argv[1:3]
    if deed != "get":  # git would like to have something stored, or forgotten
        return
    import botocore.session
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client: Any = botocore.session.Session().create_client("secretsmanager")
        told = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
        lines = [f"{name}={told[name]}" for name in ("username", "password")]
    except ClientError as error:
        _refuse(secret, error.response["Error"].get("Message", str(error)))
    except BotoCoreError as error:
        _refuse(secret, str(error))
    except (ValueError, KeyError, TypeError):
        _refuse(secret, 'its SecretString is not {"username": ..., "password": ...}')
    if any("\n" in line or "\0" in line for line in lines):  # git's protocol has no word for them
        _refuse(secret, "user name or password has a line break in it")
    print("\n".join(lines), flush=True)


def _refuse(secret: str, why: str) -> NoReturn:
    print(f"{MARK}the secret {secret} gives no user name and password: {why}", file=sys.stderr, flush=True)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
