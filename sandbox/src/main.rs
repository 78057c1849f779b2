//! Serves the sandbox until Ctrl-C, or until standard input closes, so that it ends with the program that started it.

mod args;

use std::error::Error;
use std::io::Read;
use std::process::ExitCode;

use args::{Args, USAGE};
use sales_channels_sandbox::faces::coupang::Coupang;
use sales_channels_sandbox::faces::crossmall::CrossMall;
use sales_channels_sandbox::faces::ecwid::Ecwid;
use sales_channels_sandbox::faces::lazada::Lazada;
use sales_channels_sandbox::faces::qoo10::Qoo10;
use sales_channels_sandbox::faces::rakuten::Rakuten;
use sales_channels_sandbox::faces::shopee::Shopee;
use sales_channels_sandbox::faces::shopify::Shopify;
use sales_channels_sandbox::faces::tiktok_shop::TikTokShop;
use sales_channels_sandbox::faces::yahoo_shopping::YahooShopping;
use sales_channels_sandbox::{Sandbox, SandboxBuilder, sample};
use tokio::sync::oneshot;

type AddFace = fn(SandboxBuilder) -> SandboxBuilder;

/// The faces by id. A new face adds its line here.
const FACES: &[(&str, AddFace)] = &[
    ("qoo10", |sandbox| sandbox.face(Qoo10::new())),
    ("rakuten", |sandbox| sandbox.face(Rakuten::new())),
    ("shopify", |sandbox| sandbox.face(Shopify::new())),
    ("tiktok_shop", |sandbox| sandbox.face(TikTokShop::new())),
    ("coupang", |sandbox| sandbox.face(Coupang::new())),
    ("shopee", |sandbox| sandbox.face(Shopee::new())),
    ("lazada", |sandbox| sandbox.face(Lazada::new())),
    ("ecwid", |sandbox| sandbox.face(Ecwid::new())),
    ("crossmall", |sandbox| sandbox.face(CrossMall::new())),
    ("yahoo_shopping", |sandbox| sandbox.face(YahooShopping::new())),
];

#[tokio::main]
async fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(args) if args.help => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        Ok(args) => match run(args).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error.to_string()),
        },
        Err(text) => failed(&format!("{text}\n\n{USAGE}")),
    }
}

fn failed(text: &str) -> ExitCode {
    eprintln!("sandbox: {text}");
    ExitCode::FAILURE
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let mut builder = Sandbox::builder().port_base(args.port_base).control_port(args.control_port);
    for add in chosen_faces(&args.faces)? {
        builder = add(builder);
    }
    let sandbox = builder.start().await?;
    if let Some(orders) = &args.sample {
        let items = sample::list_catalogue(sandbox.market())?;
        sample::import_orders(sandbox.market(), &items, orders)?;
    }
    println!("{}", sandbox.describe());
    if args.keep_running {
        tokio::signal::ctrl_c().await?;
    } else {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = input_closed() => {}
        }
    }
    sandbox.stop().await;
    Ok(())
}

fn chosen_faces(ids: &[String]) -> Result<Vec<AddFace>, String> {
    if ids.is_empty() {
        return Ok(FACES.iter().map(|(_, add)| *add).collect());
    }
    let find = |id: &String| FACES.iter().find(|(known, _)| known == id).map(|(_, add)| *add);
    ids.iter().map(|id| find(id).ok_or_else(|| format!("no face is called {id}"))).collect()
}

/// A thread of its own: tokio's standard input would keep the program from ending.
fn input_closed() -> oneshot::Receiver<()> {
    let (closed, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut read = [0; 256];
        while matches!(input.read(&mut read), Ok(length) if length > 0) {}
        let _ = closed.send(());
    });
    receiver
}
