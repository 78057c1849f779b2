//! The program's arguments. Pure.

use sales_channels_sandbox::sample::SampleOrders;

/// How the program is called.
pub(crate) const USAGE: &str = "\
Local servers that speak the APIs of sales channels, over one marketplace in memory.

usage: sandbox [options]
  --face ID           a face to serve, one of qoo10, rakuten, shopify, tiktok_shop, coupang,
                      lazada, shopee, ecwid, crossmall, yahoo_shopping; all of them when absent;
                      can be given again
  --port-base N       port of the first face, the next ones follow; free ports when absent
  --control-port N    port of the control API; a free port when absent
  --seed-orders N     list the sample catalogue and put N sample orders in, the last paid now
  --seed N            the seed of the sample orders (1)
  --keep-running      don't stop when standard input closes, only on Ctrl-C
  --help              this text

The first line on standard output is JSON with the base URLs and test credentials.
";

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) faces: Vec<String>,
    pub(crate) port_base: u16,
    pub(crate) control_port: u16,
    pub(crate) sample: Option<SampleOrders>,
    pub(crate) keep_running: bool,
    pub(crate) help: bool,
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Args, String> {
    let mut args = args.into_iter();
    let mut parsed = Args::default();
    let (mut orders, mut seed) = (None, 1);
    while let Some(arg) = args.next() {
        let (name, joined) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        let mut value = || joined.clone().or_else(|| args.next()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--face" => parsed.faces.push(value()?),
            "--port-base" => parsed.port_base = number(&name, &value()?)?,
            "--control-port" => parsed.control_port = number(&name, &value()?)?,
            "--seed-orders" => orders = Some(number(&name, &value()?)?),
            "--seed" => seed = number(&name, &value()?)?,
            "--keep-running" => parsed.keep_running = true,
            "--help" | "-h" => parsed.help = true,
            _ => return Err(format!("unknown argument {name}")),
        }
    }
    parsed.sample = orders.map(|orders| SampleOrders::new(orders, seed));
    Ok(parsed)
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{name}: {text} is not a number in range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Args, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn arguments_are_read_with_a_space_or_an_equals_sign() {
        let args =
            parsed("--face qoo10 --face=other --port-base=9000 --control-port 9100 --seed-orders 5 --seed 7");
        let args = args.unwrap();
        assert_eq!(args.faces, ["qoo10", "other"]);
        assert_eq!((args.port_base, args.control_port), (9000, 9100));
        assert_eq!(args.sample, Some(SampleOrders::new(5, 7)));
        assert!(!args.keep_running);
    }

    #[test]
    fn wrong_arguments_are_named() {
        assert_eq!(parsed("--prot 1").unwrap_err(), "unknown argument --prot");
        assert_eq!(parsed("--port-base").unwrap_err(), "--port-base needs a value");
        assert_eq!(parsed("--port-base 70000").unwrap_err(), "--port-base: 70000 is not a number in range");
    }
}
