"""`tillwave provision`: from nothing to a mall that trusts its terminals."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tillwave.commands.options import TERMINAL_CONFIG, TerminalConfig
from tillwave.exits import Exit, exit_on

if TYPE_CHECKING:
    from provisioning.bundles import Answer, Request
    from provisioning.findings import Finding
    from provisioning.mall import Merchant

_BENCH = "bench"


class _BenchByDefault(TyperGroup):
    """`terminal NAME DIR` is `terminal bench NAME DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the step in where the first word is none."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [_BENCH, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help="Make a mall's authority, its broker, settlement and terminals, and check that they reach each other. Keys"
    " are made where they are used; nothing secret is typed, printed or sent, and no key is ever overwritten.",
    no_args_is_help=True,
)
terminal_app = typer.Typer(
    help="A terminal in three steps, so that its keys never leave it: [bold]request[/] on the device, [bold]sign[/] at"
    " the authority, [bold]install[/] on the device. With NAME DIR --authority AUTHORITY all three on one machine.",
    no_args_is_help=True,
    cls=_BenchByDefault,
)
app.add_typer(terminal_app, name="terminal")

AuthorityFolder = Annotated[Path, typer.Option("--authority", help="The folder of the mall's authority.")]
Names = Annotated[list[str] | None, typer.Option("--name", help="A further host name or IP address; may be repeated.")]
Fingerprint = Annotated[
    str | None, typer.Option(help="The fingerprint that the other side was shown; refuse the file if it differs.")
]
MerchantName = Annotated[
    str | None, typer.Option("--merchant", help="Whose terminal it is, in Latin letters, if not the mall's usual one.")
]


@app.command()
def authority(
    folder: Annotated[Path, typer.Argument(help="A new folder; keep it safe and off the network.")],
    *,
    mall: Annotated[str, typer.Option(help="Name of the mall: 1 to 20 of a-z, 0-9 and the hyphen.")],
    merchant: Annotated[str, typer.Option(help="Who is paid where nothing else is said, in Latin letters.")],
    city: Annotated[str, typer.Option(help="City of the merchant, in Latin letters.")],
    country: Annotated[str, typer.Option(help="Two letters of ISO 3166.")] = "CN",
    currency: Annotated[str, typer.Option(help="Three letters of ISO 4217.")] = "CNY",
    category_code: Annotated[str, typer.Option(help="Four digits of ISO 18245.")] = "5311",
    local_name: Annotated[str, typer.Option(help="The merchant's name in Chinese.")] = "",
    local_city: Annotated[str, typer.Option(help="The city's name in Chinese.")] = "",
) -> None:
    """Make the mall's certificate authority: its key, its certificate, the log of what it issues."""
    with _refusals():
        from keys.certificates import write_fingerprint
        from provisioning.authority import Authority
        from provisioning.mall import Mall, Merchant

        owner = Merchant(
            name=merchant,
            city=city,
            country=country,
            category_code=category_code,
            local_name=local_name,
            local_city=local_city,
        )
        made = Authority.create(folder, Mall(name=mall, currency=currency, merchant=owner), at=_now())
        typer.echo(f"authority of the mall {mall} in {made.folder}")
        typer.echo(f"fingerprint of its certificate: {write_fingerprint(made.certificate)}")


@app.command()
def broker(
    folder: Annotated[Path, typer.Argument(help="A new folder for mosquitto.")],
    authority: AuthorityFolder,
    *,
    host: Annotated[str, typer.Option(help="Host name or IP address that terminals call.")] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that terminals call.")] = 8883,
    listen: Annotated[str, typer.Option(help="IP address of this machine to listen on; 0.0.0.0 is all.")] = "127.0.0.1",
    name: Names = None,
    user: Annotated[
        str | None,
        typer.Option(help="The user that mosquitto becomes when root starts it, usually: mosquitto. Owns the folder."),
    ] = None,
) -> None:
    """Make the broker's key, certificate, access list and mosquitto.conf."""
    with _refusals():
        from provisioning.authority import Authority
        from provisioning.broker import provision_broker
        from provisioning.mall import BrokerAddress

        configuration = provision_broker(
            folder,
            Authority.load(authority),
            BrokerAddress(host, port),
            listen=listen,
            names=name or (),
            user=user,
            at=_now(),
        )
        typer.echo(f"start the broker with: mosquitto -c {configuration}")


@app.command()
def settlement(
    folder: Annotated[Path, typer.Argument(help="A new folder for settlement.")],
    authority: AuthorityFolder,
    *,
    listen: Annotated[str, typer.Option(help="IP address of this machine on which phones are served.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port that phones call.")] = 8443,
    host: Annotated[str, typer.Option(help="Host name or IP address that phones call.")] = "localhost",
    name: Names = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="There was a settlement before; every terminal needs a new answer.")
    ] = False,
) -> None:
    """Make settlement's keys, certificates and settlement.toml."""
    with _refusals():
        from provisioning.authority import Authority
        from provisioning.settlement import PhoneAddress, SettlementChoices, provision_settlement

        choices = SettlementChoices(phones=PhoneAddress(listen=listen, port=port, host=host, names=tuple(name or ())))
        settings = provision_settlement(folder, Authority.load(authority), choices=choices, replace=replace, at=_now())
        typer.echo(f"look at the shares in {settings}, then start it with: tillwave settle --config {settings}")


@terminal_app.command("request")
def terminal_request(
    name: Annotated[str, typer.Argument(help="Name of the terminal: 1 to 20 of a-z, 0-9 and the hyphen.")],
    folder: Annotated[Path, typer.Argument(help="A new folder on the device.")],
    *,
    mall: Annotated[str, typer.Option(help="Name of the mall.")],
) -> None:
    """On the device: make its two keys and request.json, which holds nothing secret."""
    with _refusals():
        from provisioning.layout import REQUEST
        from provisioning.terminal import request_certificates

        request = request_certificates(folder, name, mall)
        typer.echo(f"take {folder / REQUEST} to the authority")
        _say_fingerprint(request)


@terminal_app.command("sign")
def terminal_sign(
    request: Annotated[Path, typer.Argument(help="The terminal's request.json.")],
    authority: AuthorityFolder,
    *,
    output: Annotated[Path | None, typer.Option(help="The answer; usually answer.json beside the request.")] = None,
    merchant: MerchantName = None,
    fingerprint: Fingerprint = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Another device had this name before; revoke it in settlement.toml.")
    ] = False,
) -> None:
    """At the authority: check a request and answer it with certificates, which are not secret."""
    with _refusals():
        from provisioning.authority import Authority
        from provisioning.bundles import read_request_bundle, write_bundle
        from provisioning.files import read_bundle, refuse_existing, write_new
        from provisioning.layout import ANSWER
        from provisioning.terminal import sign_request

        target = output or request.with_name(ANSWER)
        refuse_existing(target.parent, [target.name])
        opened = Authority.load(authority)
        asked = read_request_bundle(read_bundle(request, "bring it from the terminal"))
        answer = sign_request(
            opened,
            asked,
            merchant=_merchant(opened.mall.merchant, merchant),
            fingerprint=fingerprint,
            replace_holder=replace,
            at=_now(),
        )
        write_new(target, write_bundle(answer))
        typer.echo(f"take {target} to terminal {answer.terminal}")
        _say_fingerprint(answer)


@terminal_app.command("install")
def terminal_install(
    folder: Annotated[Path, typer.Argument(help="The folder in which the request was made.")],
    answer: Annotated[Path, typer.Argument(help="The answer of the authority.")],
    *,
    fingerprint: Fingerprint = None,
    keep_settings: Annotated[
        bool, typer.Option("--keep-settings", help="A renewal: new certificates, terminal.toml stays as it is.")
    ] = False,
    replace_settings: Annotated[
        bool, typer.Option("--replace-settings", help="Write terminal.toml anew; the old one is kept as .old.")
    ] = False,
) -> None:
    """On the device: check that the answer fits the keys, then write certificates and terminal.toml."""
    if keep_settings and replace_settings:
        raise typer.BadParameter("--keep-settings and --replace-settings contradict each other")
    with _refusals():
        from provisioning.bundles import read_answer
        from provisioning.files import read_bundle
        from provisioning.terminal import Existing, install_answer

        existing = Existing.KEEP if keep_settings else Existing.REPLACE if replace_settings else Existing.REFUSE
        read = read_answer(read_bundle(answer, "bring it from the authority"))
        done = install_answer(folder, read, existing=existing, fingerprint=fingerprint, at=_now())
        if done.replaced is not None:
            typer.echo(f"the former settings are in {done.replaced}")
        typer.echo(f"fingerprint of the mall's authority: {done.authority_fingerprint}")
        typer.echo(f"add its devices to {done.settings}, then: tillwave provision check --config {done.settings}")


@terminal_app.command(_BENCH)
def terminal_bench(
    name: Annotated[str, typer.Argument(help="Name of the terminal: 1 to 20 of a-z, 0-9 and the hyphen.")],
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    authority: AuthorityFolder,
    *,
    merchant: MerchantName = None,
) -> None:
    """Do all three steps on one machine that is both device and authority; the word "bench" may be left out."""
    with _refusals():
        from provisioning.authority import Authority
        from provisioning.terminal import provision_terminal

        opened = Authority.load(authority)
        owner = _merchant(opened.mall.merchant, merchant)
        settings = provision_terminal(folder, name, opened, merchant=owner, at=_now())
        typer.echo(f"add its devices to {settings}, then: tillwave provision check --config {settings}")


@app.command()
def badge(
    name: Annotated[str, typer.Argument(help="Whose badge it is.")],
    *,
    qr: Annotated[
        Path | None, typer.Option(help="Draw the badge into this .png or .svg file instead of printing its text.")
    ] = None,
) -> None:
    """Make a random badge for a supervisor or clerk; it is shown this once and kept nowhere, only its hash is."""
    with _refusals():
        from provisioning.badge import draw_badge, make_badge
        from provisioning.toml import write_toml

        made = make_badge(name)
        if qr is None:
            typer.echo(f"# the badge itself, shown only now: {made.text}")
        else:
            draw_badge(made, qr)
            typer.echo(f"# the badge is drawn in {qr}; print it and delete the file")
        typer.echo("# for terminal.toml:")
        typer.echo(write_toml({"supervisors": [{"name": made.name, "badge_hash": made.badge_hash}]}).strip())


@app.command()
def check(
    config: TerminalConfig = TERMINAL_CONFIG,
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Look whether a terminal has what it needs and reaches broker and settlement; takes up to 10 s.

    Exit codes: 0 all is well, 3 the settings are wrong, 4 a key or certificate is missing or not good, 5 the broker
    or settlement cannot be reached.
    """
    from provisioning.check import check as check_terminal
    from provisioning.findings import exit_code

    findings = check_terminal(config, clock=_now)
    for finding in findings:
        _show(finding, json=json)
    raise typer.Exit(exit_code(findings))


def _show(finding: Finding, *, json: bool) -> None:
    if json:
        import msgspec

        shown = {"part": finding.part, "good": finding.good, "text": finding.text}
        typer.echo(msgspec.json.encode(shown).decode())
        return
    mark, colour = ("ok    ", typer.colors.GREEN) if finding.good else ("failed", typer.colors.RED)
    typer.echo(f"{typer.style(mark, fg=colour)}  {finding.part:<22} {finding.text}")


def _say_fingerprint(bundle: Request | Answer) -> None:
    typer.echo(f"fingerprint, for --fingerprint at the other side: {bundle.fingerprint}")


def _merchant(usual: Merchant, name: str | None) -> Merchant | None:
    import msgspec

    return None if name is None else msgspec.structs.replace(usual, name=name, local_name="", local_city="")


def _now() -> datetime:
    return datetime.now(UTC)


def _refusals() -> Any:
    from keys.certificates import CertificateMissing
    from keys.port import KeyMissing, KeyProblem
    from provisioning.errors import BadSettings, NotThere, ProvisioningProblem

    return exit_on(
        {
            NotThere: Exit.SOMETHING_MISSING,
            KeyMissing: Exit.SOMETHING_MISSING,
            CertificateMissing: Exit.SOMETHING_MISSING,
            BadSettings: Exit.SETTINGS_WRONG,
            ProvisioningProblem: Exit.FAILED,
            KeyProblem: Exit.FAILED,
            OSError: Exit.FAILED,
        }
    )
