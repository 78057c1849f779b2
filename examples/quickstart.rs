//! The main job, from a marketplace to a store and back, with no account and no internet:
//!
//!     cargo run --all-features --example quickstart
//!
//! It starts the sandbox (a local server that speaks the channels' APIs), lets buyers order, and runs cycles of a hub
//! with a fulfilment centre over an SQLite file: first one channel in detail, then five channels that share one stock.
//! With `QOO10_KEY` in the environment it asks the real Qoo10 Japan instead, and
//! only says what it would do.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{Channel, Credentials, HandOver};
use sales_channels::fulfillment::MemoryCentre;
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::hub::{Account, CycleReport, Hub, What};
use sales_channels::model::{AccountId, Clock, ManualClock, Step};
use sales_channels::options::{OptionSet, StockShare};
use sales_channels::store::{MemoryStore, SqliteStore};
use sales_channels_sandbox::fault::Fault;
use sales_channels_sandbox::market::{Axis, ItemDraft, LineDraft, LineNumber, OrderDraft};
use sales_channels_sandbox::{Amount, Sandbox, faces};

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Anything<()> {
    match std::env::var("QOO10_KEY") {
        Ok(key) => with_a_real_account(&key).await,
        Err(_) => with_the_sandbox().await,
    }
}

/// Tests the connection, and says what a first cycle would do. Nothing is changed, there or here.
async fn with_a_real_account(key: &str) -> Anything<()> {
    let client = HttpClient::new(HttpSettings::default())?;
    let qoo10 = adapters::find("qoo10").ok_or("the feature qoo10 is off")?;
    let credentials = Credentials::new().with("certification_key", key);
    let channel = (qoo10.open)(&Opening::new(&client, "my-shop", credentials))?;
    let hub = Hub::new(Arc::new(MemoryStore::new()));
    let tested = hub.test(channel.as_ref()).await?;
    for (capability, check) in &tested.capabilities {
        println!("{capability:<22} {check:?}");
    }
    hub.connect(Account::new("my-shop", channel))?;
    println!("{}", hub.dry_run(&"my-shop".into()).await?);
    Ok(())
}

/// A merchant's shop: the marketplace, the hub over it, and the clock that both go by.
struct Shop {
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    centre: Arc<MemoryCentre>,
    hub: Hub,
    account: AccountId,
    file: PathBuf,
}

async fn with_the_sandbox() -> Anything<()> {
    let shop = open_shop("2026-11-27T10:00:00+09:00".parse::<DateTime<Utc>>()?).await?;
    let market = shop.sandbox.market();

    title("Friday 10:00: three orders are waiting; the first cycle takes them");
    let tee = ItemDraft::simple("TEE-01", "オーガニックTシャツ 🌿", Amount::whole(1980), 0).with_option(
        vec![Axis::new("カラー", "赤"), Axis::new("サイズ", "S")],
        "TEE-01-RED-S",
        10,
    );
    let tee = market.list(tee)?;
    let red_s = market.item(tee).and_then(|item| item.options.first().map(|o| o.id)).ok_or("no option")?;
    let mut cap = ItemDraft::simple("CAP-02", "キャップ", Amount::whole(2480), 10);
    cap.sale_ends = Some("2027-12-31".parse()?);
    let cap = market.list(cap)?;
    let place = |line: LineDraft| -> Anything<LineNumber> {
        let number = market.buyer().place(OrderDraft::of(vec![line]))?;
        Ok(*market.lines_of(number).first().ok_or("an order without lines")?)
    };
    let first = place(LineDraft::of_option(tee, red_s, 2))?;
    let second = place(LineDraft::of(cap, 1))?;
    let third = place(LineDraft::of(cap, 3))?;
    shop.clock.advance(TimeDelta::minutes(5));
    shop.sandbox.advance(TimeDelta::minutes(5));
    println!("What a cycle would do:");
    print_report(&shop.hub.dry_run(&shop.account).await?);
    println!("And done:");
    print_report(&shop.hub.cycle(&shop.account).await?);
    println!("Ship dates told to the buyers (D+1 from a Friday): {:?}", market.ship_dates_set(first));

    title("11:00: the centre has packed; a buyer wants out; and the answer of a confirmation gets lost");
    shop.pass(TimeDelta::minutes(55));
    shop.centre.ship_all("ヤマト運輸", shop.clock.now());
    let fourth = place(LineDraft::of(cap, 1))?;
    let regretted = place(LineDraft::of(cap, 1))?;
    market.buyer().request_cancel(regretted, "注文間違い")?;
    shop.pass(TimeDelta::minutes(5));
    shop.sandbox.faults().next_of("qoo10", "ShippingBasic.SetSellerCheckYNBulk", 4, Fault::response_lost());
    print_report(&shop.hub.cycle(&shop.account).await?);

    title("12:00: what became of the lost answer is read, not guessed");
    shop.sandbox.faults().clear();
    shop.pass(TimeDelta::hours(1));
    print_report(&shop.hub.cycle(&shop.account).await?);

    title("What is remembered");
    for line in [first, second, third, fourth, regretted] {
        let order = line.to_string().as_str().into();
        let reason = shop.hub.explain_order(&shop.account, &order).await?;
        println!("  {line}  {reason}");
    }

    title("The marketplace's own record, against the store");
    for line in [first, second, third, fourth] {
        let record = shop.hub.order(&shop.account, &line.to_string().as_str().into()).await?;
        let record = record.ok_or("an order is not in the store")?;
        let confirmed = market.confirmations(line);
        println!(
            "  {line}  confirmed {confirmed}x, ship dates {:?}, parcels {:?}",
            market.ship_dates_set(line),
            market.dispatches(line)
        );
        if confirmed != 1
            || market.ship_dates_set(line).len() != 1
            || !matches!(record.confirm, Step::Done { .. })
        {
            return Err(format!("order {line} was not confirmed exactly once").into());
        }
    }
    if market.confirmations(regretted) != 0 || !market.dispatches(regretted).is_empty() {
        return Err("something was done to an order whose buyer wants out".into());
    }
    five_channels(&shop).await?;
    println!("\nEverything adds up. Look into {} with sqlite3.", shop.file.display());
    Ok(())
}

/// The same mug on five channels, from one warehouse: one hub, one cycle of each.
async fn five_channels(shop: &Shop) -> Anything<()> {
    title("One product on five channels, one hub, one stock");
    shop.centre.set_on_hand("MUG-03", 40);
    let now = shop.clock.now();
    let mut markets = Vec::new();
    for id in ["coupang", "qoo10", "rakuten", "shopify", "tiktok_shop"] {
        let builder = Sandbox::builder().now(now);
        let builder = match id {
            "coupang" => builder.face(faces::coupang::Coupang::new()),
            "qoo10" => builder.face(faces::qoo10::Qoo10::new()),
            "rakuten" => builder.face(faces::rakuten::Rakuten::new()),
            "shopify" => builder.face(faces::shopify::Shopify::new()),
            _ => builder.face(faces::tiktok_shop::TikTokShop::new()),
        };
        let sandbox = builder.start().await?;
        let mut mug = ItemDraft::simple("MUG", "マグカップ ☕", Amount::whole(1200), 0).with_option(
            vec![Axis::new("カラー", "白")],
            "MUG-03",
            5,
        );
        mug.sale_ends = Some("2027-12-31".parse()?);
        let item = sandbox.market().list(mug)?;
        let white =
            sandbox.market().item(item).and_then(|i| i.options.first().map(|o| o.id)).ok_or("no option")?;
        let order =
            OrderDraft::of(vec![LineDraft::of_option(item, white, 2)]).paid_at(now - TimeDelta::minutes(30));
        sandbox.market().buyer().place(order)?;
        let account = AccountId::from(format!("mugs-on-{id}"));
        let options = OptionSet {
            stock_sync: Some(StockShare { share_percent: 50, reserve: 0 }),
            // Each channel shows the options that it can honour: these two are Rakuten's and TikTok Shop's.
            option_code_as_sku: (id == "rakuten").then_some(true),
            hand_over: (id == "tiktok_shop").then_some(HandOver::DropOff),
            ..OptionSet::default()
        };
        let channel = connect(&sandbox, id, &account, &shop.clock)?;
        shop.hub
            .connect(Account::new(account, channel).with_options(options).with_centre(shop.centre.clone()))?;
        markets.push((id, sandbox, item, white));
    }
    // Twice: what an order holds on one channel is seen by all others in their next cycle.
    for round in 1..=2 {
        for (id, ..) in &markets {
            let account = AccountId::from(format!("mugs-on-{id}"));
            let report = shop.hub.cycle(&account).await?;
            if round == 1 {
                print_report(&report);
            }
        }
    }
    println!("40 on the shelf, 2 ordered on each of five channels, half of the rest shown on each:");
    for (id, sandbox, item, white) in &markets {
        let shown = sandbox.market().quantity(*item, Some(*white));
        println!("  {id:<12} shows {}", shown.unwrap_or_default());
        if shown != Some((40 - 10) / 2) {
            return Err(format!("{id} shows {shown:?}").into());
        }
    }
    Ok(())
}

/// Connects an account to a sandbox with the credentials that the sandbox names.
fn connect(
    sandbox: &Sandbox,
    id: &str,
    account: &AccountId,
    clock: &Arc<ManualClock>,
) -> Anything<Arc<dyn Channel>> {
    let client = HttpClient::new(HttpSettings::default())?.with_clock(Arc::clone(clock) as Arc<dyn Clock>);
    let adapter = adapters::find(id).ok_or("the channel's feature is off")?;
    let told = sandbox.describe();
    let mut credentials = Credentials::new();
    for part in adapter.parts {
        if let Some(value) = told["faces"][id]["credentials"][part.name].as_str() {
            credentials = credentials.with(part.name, value);
        }
    }
    let opening = Opening::new(&client, account.clone(), credentials).at(sandbox.base_url(id)?.parse()?);
    Ok((adapter.open)(&opening)?)
}

async fn open_shop(now: DateTime<Utc>) -> Anything<Shop> {
    let sandbox = Sandbox::builder().face(faces::qoo10::Qoo10::new()).now(now).start().await?;
    let clock = Arc::new(ManualClock::at(now));
    let account = AccountId::from("my-shop");
    let channel = connect(&sandbox, "qoo10", &account, &clock)?;

    let file = std::env::temp_dir().join("sales-channels-quickstart.db");
    for old in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{old}", file.display()));
    }
    let store = Arc::new(SqliteStore::open(&file).await?);
    let hub = Hub::builder(store).clock(Arc::clone(&clock) as Arc<dyn Clock>).build();
    hub.test(channel.as_ref()).await?;

    let centre = Arc::new(MemoryCentre::new());
    centre.set_on_hand("TEE-01-RED-S", 100);
    centre.set_on_hand("CAP-02", 50);
    let options = OptionSet {
        ship_offset: Some(1),
        fulfilment_instruction: Some(true),
        stock_sync: Some(StockShare { share_percent: 50, reserve: 10 }),
        ..OptionSet::default()
    };
    hub.connect(Account::new(account.clone(), channel).with_options(options).with_centre(centre.clone()))?;
    Ok(Shop { sandbox, clock, centre, hub, account, file })
}

impl Shop {
    fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.sandbox.advance(time);
    }
}

fn title(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\n\x1b[1;36m{text}\x1b[0m");
    } else {
        println!("\n{text}");
    }
}

fn print_report(report: &CycleReport) {
    let text = report.to_string();
    if !std::io::stdout().is_terminal() {
        print!("{text}");
        return;
    }
    let colour = |what: What| match what {
        What::Refused(_) | What::Unreadable | What::Differs => "31",
        What::Unknown(_) | What::NotLinked => "33",
        _ => "32",
    };
    let mut of_lines = report.lines.iter();
    for line in text.lines() {
        // The lines of a report come in the order of its list.
        match of_lines.clone().next().filter(|l| line.trim_start().starts_with(&l.subject)) {
            Some(known) => {
                of_lines.next();
                println!("\x1b[{}m{line}\x1b[0m", colour(known.what));
            }
            None => println!("{line}"),
        }
    }
}
