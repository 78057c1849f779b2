//! Every channel end to end: the hub with a fulfilment centre, the channel's adapter, and the sandbox face that others
//! wrote from the channel's documents. The marketplace's own record says what was really done.
#![cfg(feature = "all-channels")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sales_channels::adapters::{self, Opening};
use sales_channels::channel::{
    Capabilities, Capability, CapabilityCheck, Channel, CredentialVault, Credentials, HandOver, MemoryVault,
    Secret, WebhookRequest,
};
use sales_channels::fulfillment::MemoryCentre;
use sales_channels::http::{HttpClient, HttpSettings};
use sales_channels::hub::{Account, CycleReport, End, Hub};
use sales_channels::model::{AccountId, CancelState, Clock, Fulfilment, ManualClock, OrderRecord};
use sales_channels::options::{OptionSet, StockShare};
use sales_channels::store::{HealthLevel, MemoryStore};
use sales_channels_sandbox::market::{
    Axis, ItemDraft, ItemId, LineDraft, LineNumber, OptionId, OrderDraft, OrderNumber,
};
use sales_channels_sandbox::{Amount, Face, Sandbox, faces};

/// A merchant's shop on one channel.
struct Shop {
    id: &'static str,
    sandbox: Sandbox,
    clock: Arc<ManualClock>,
    vault: Arc<MemoryVault>,
    centre: Arc<MemoryCentre>,
    channel: Arc<dyn Channel>,
    hub: Hub,
    item: ItemId,
    option: Option<OptionId>,
}

fn account() -> AccountId {
    AccountId::from("shop")
}

async fn open(id: &'static str, face: impl Face, change: impl FnOnce(&mut OptionSet)) -> Shop {
    // A Friday morning in Japan and Korea.
    let now: DateTime<Utc> = "2026-11-27T01:00:00Z".parse().unwrap();
    let sandbox = Sandbox::builder().face(face).now(now).start().await.unwrap();
    let told = sandbox.describe();
    let told = &told["faces"][id]["credentials"];
    let adapter = adapters::find(id).unwrap();
    let mut credentials = Credentials::new();
    for part in adapter.parts {
        // Some ids are numbers.
        let value = match &told[part.name] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => continue,
        };
        credentials = credentials.with(part.name, Secret::new(value));
    }
    let clock = Arc::new(ManualClock::at(now));
    let mut settings = HttpSettings::default();
    settings.base_pause = Duration::from_millis(1);
    let client = HttpClient::new(settings).unwrap().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let vault = Arc::new(MemoryVault::default());
    let opening = Opening::new(&client, account(), credentials)
        .at(sandbox.base_url(id).unwrap().parse().unwrap())
        .with_vault(vault.clone());
    let channel = (adapter.open)(&opening).unwrap();

    let mut mug = ItemDraft::simple("MUG-03", "マグカップ ☕ 350㎖【限定】", Amount::whole(1200), 25);
    mug.sale_ends = Some("2027-12-31".parse().unwrap());
    if id == "rakuten" {
        // Its option codes are those of variants.
        mug = mug.with_option(vec![Axis::new("カラー", "白")], "MUG-03", 25);
    }
    let item = sandbox.market().list(mug).unwrap();
    let option = sandbox.market().item(item).unwrap().options.first().map(|option| option.id);
    let centre = Arc::new(MemoryCentre::new());
    centre.set_on_hand("MUG-03", 100);
    let mut options = OptionSet {
        fulfilment_instruction: Some(true),
        stock_sync: Some(StockShare { share_percent: 50, reserve: 10 }),
        ..OptionSet::default()
    };
    change(&mut options);
    let hub = Hub::builder(Arc::new(MemoryStore::new())).clock(Arc::clone(&clock) as Arc<dyn Clock>).build();
    let connected = Account::new(account(), channel.clone())
        .with_options(options)
        .with_centre(centre.clone())
        .with_vault(vault.clone());
    hub.connect(connected).unwrap();
    Shop { id, sandbox, clock, vault, centre, channel, hub, item, option }
}

impl Shop {
    fn currency(&self) -> &'static str {
        match self.id {
            "coupang" => "KRW",
            "lazada" | "shopee" => "SGD",
            _ => "JPY",
        }
    }

    fn place(&self, quantity: u32) -> OrderNumber {
        let mut draft =
            OrderDraft::of(vec![LineDraft { option: self.option, ..LineDraft::of(self.item, quantity) }]);
        draft.currency = self.currency().into();
        if self.id == "coupang" {
            draft.address.country = "KR".into();
        }
        if matches!(self.id, "lazada" | "shopee") {
            draft.address.country = "SG".into();
        }
        self.sandbox.market().buyer().place(draft).unwrap()
    }

    fn line(&self, order: OrderNumber) -> LineNumber {
        self.sandbox.market().lines_of(order)[0]
    }

    fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.sandbox.advance(time);
    }

    async fn cycle(&self) -> CycleReport {
        let report = self.hub.cycle(&account()).await.unwrap();
        assert!(report.tally.adds_up(), "{}: {report}", self.id);
        report
    }

    async fn records(&self) -> Vec<OrderRecord> {
        self.hub.orders(&account(), None, 100).await.unwrap()
    }
}

/// The main job: linked, confirmed where the channel confirms, instructed, shipped, reported, followed; stock pushed.
async fn the_main_job(shop: &Shop) {
    let id = shop.id;
    let tested = shop.hub.test(shop.channel.as_ref()).await.unwrap();
    assert!(tested.is_complete(), "{id}: {tested:?}");
    let capabilities = Capabilities::of(shop.channel.as_ref());
    assert_eq!(tested.capabilities.len(), capabilities.iter().count(), "{id}: CT-1 names each capability");
    assert!(tested.capabilities.iter().any(|(_, c)| *c == CapabilityCheck::Allowed), "{id}");

    let orders = [shop.place(1), shop.place(2)];
    shop.pass(TimeDelta::minutes(30));
    let plan = shop.hub.dry_run(&account()).await.unwrap();
    assert_eq!(plan.tally.linked, 2, "{id}: {plan}");
    assert!(
        orders.iter().all(|o| shop.sandbox.market().confirmations(shop.line(*o)) == 0),
        "{id}: a dry run"
    );

    // The first cycle links; where payment or a hold comes between, the next ones go on.
    let report = shop.cycle().await;
    assert_eq!(report.tally.linked, 2, "{id}: {report}");
    assert_eq!(report.end, End::Complete, "{id}: {report}");
    for _ in 0..2 {
        shop.pass(TimeDelta::hours(1));
        shop.cycle().await;
    }
    for record in shop.records().await {
        assert_eq!(record.fulfilment, Fulfilment::Centre, "{id}: {:?}", record.fulfilment);
        assert!(record.confirm.is_done(), "{id}: {:?}", record.confirm);
        assert!(
            record.instruct.is_done(),
            "{id}: {}",
            shop.hub.explain_order(&account(), &record.order.id).await.unwrap()
        );
        let recipient = record.order.destinations[0].recipient.reveal();
        // Where the channel's own logistics delivers, it masks the recipient.
        let masked = recipient.name.contains('*');
        assert!(recipient.name == "山田 花子" || masked && id == "tiktok_shop", "{id}");
        assert!(record.order.lines[0].title.contains('☕'), "{id}: {}", record.order.lines[0].title);
        assert_eq!(record.order.currency.as_str(), shop.currency(), "{id}");
        let price = record.order.lines[0].unit_price.unwrap();
        assert_eq!(price.amount, 1200.into(), "{id}");
    }
    if capabilities.has(Capability::ConfirmOrders) {
        for order in orders {
            assert_eq!(shop.sandbox.market().confirmations(shop.line(order)), 1, "{id}");
        }
    }
    let link =
        shop.hub.explain_listing(&account(), &shop.records().await[0].order.lines[0].listing).await.unwrap();
    // 100 on hand, 3 held, 10 in reserve, half of the rest.
    assert_eq!(
        shop.sandbox.market().quantity(shop.item, shop.option),
        Some((100 - 3 - 10) / 2),
        "{id}: {link}"
    );

    assert_eq!(shop.centre.ship_all(carrier(id), shop.clock.now()), 2, "{id}");
    shop.pass(TimeDelta::hours(1));
    let report = shop.cycle().await;
    assert_eq!(report.tally.dispatched, 2, "{id}: {report}");
    assert_eq!(report.health, HealthLevel::Ok, "{id}: {report}");
    for order in orders {
        assert_eq!(shop.sandbox.market().dispatches(shop.line(order)).len(), 1, "{id}");
    }
    shop.pass(TimeDelta::hours(1));
    let report = shop.cycle().await;
    assert_eq!((report.tally.dispatched, report.tally.linked), (0, 0), "{id}: {report}");
    assert!(shop.records().await.iter().all(|r| r.order.status.is_past_dispatch()), "{id}");
    let (mut cursor, mut skus) = (None, Vec::new());
    loop {
        let page = shop.hub.listings(&account(), cursor.as_ref()).await.unwrap();
        skus.extend(page.listings.into_iter().filter_map(|listing| listing.sku));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(skus, ["MUG-03".into()], "{id}");
}

fn carrier(id: &str) -> &'static str {
    match id {
        "coupang" => "CJGLS",
        "tiktok_shop" => "Yamato Transport",
        _ => "ヤマト運輸",
    }
}

/// A buyer's cancel request, where the channel has them, is seen before anything is done.
async fn a_cancel_request_stops_everything(shop: &Shop) {
    let id = shop.id;
    let order = shop.place(1);
    shop.sandbox.market().buyer().request_cancel(shop.line(order), "注文間違い").unwrap();
    shop.pass(TimeDelta::minutes(30));
    for _ in 0..3 {
        shop.cycle().await;
        shop.pass(TimeDelta::hours(1));
    }
    assert_eq!(shop.sandbox.market().confirmations(shop.line(order)), 0, "{id}");
    assert_eq!(shop.centre.instructed(), 0, "{id}");
    for record in shop.records().await {
        let stopped = record.order.cancel == CancelState::Requested || record.order.status.is_final();
        assert!(stopped && !record.is_linked(), "{id}: {:?}", record.order.status);
    }
}

#[tokio::test]
async fn qoo10_does_the_main_job() {
    the_main_job(&open("qoo10", faces::qoo10::Qoo10::new(), |o| o.ship_offset = Some(1)).await).await;
}

#[tokio::test]
async fn qoo10_stops_at_a_cancel_request() {
    a_cancel_request_stops_everything(&open("qoo10", faces::qoo10::Qoo10::new(), |_| {}).await).await;
}

#[tokio::test]
async fn shopify_does_the_main_job() {
    let shop = open("shopify", faces::shopify::Shopify::new(), |o| o.notify_buyer = Some(true)).await;
    the_main_job(&shop).await;
}

#[tokio::test]
async fn rakuten_rc_2_does_the_main_job_with_option_codes() {
    let shop = open("rakuten", faces::rakuten::Rakuten::new(), |o| o.option_code_as_sku = Some(true)).await;
    the_main_job(&shop).await;
}

#[tokio::test]
async fn rakuten_rc_1_links_ordinary_orders() {
    let shop = open("rakuten", faces::rakuten::Rakuten::new(), |_| {}).await;
    shop.place(1);
    shop.pass(TimeDelta::minutes(30));
    assert_eq!(shop.cycle().await.tally.linked, 1);
    assert!(matches!(shop.records().await[0].fulfilment, Fulfilment::Ordinary { .. }));
}

#[tokio::test]
async fn rakuten_stops_at_a_cancel_request() {
    let shop = open("rakuten", faces::rakuten::Rakuten::new(), |_| {}).await;
    a_cancel_request_stops_everything(&shop).await;
}

#[tokio::test]
async fn tiktok_shop_hm_3_does_the_main_job() {
    let shop = open("tiktok_shop", faces::tiktok_shop::TikTokShop::new(), |o| {
        o.hand_over = Some(HandOver::DropOff);
    })
    .await;
    the_main_job(&shop).await;
}

#[tokio::test]
async fn tiktok_shop_stops_at_a_cancel_request() {
    let shop = open("tiktok_shop", faces::tiktok_shop::TikTokShop::new(), |_| {}).await;
    a_cancel_request_stops_everything(&shop).await;
}

#[tokio::test]
async fn coupang_does_the_main_job() {
    the_main_job(&open("coupang", faces::coupang::Coupang::new(), |_| {}).await).await;
}

#[tokio::test]
async fn coupang_stops_at_a_cancel_request() {
    a_cancel_request_stops_everything(&open("coupang", faces::coupang::Coupang::new(), |_| {}).await).await;
}

#[tokio::test]
async fn shopee_hm_3_does_the_main_job() {
    let shop = open("shopee", faces::shopee::Shopee::new(), |o| o.hand_over = Some(HandOver::DropOff)).await;
    the_main_job(&shop).await;
}

#[tokio::test]
async fn shopee_stops_at_a_cancel_request() {
    a_cancel_request_stops_everything(&open("shopee", faces::shopee::Shopee::new(), |_| {}).await).await;
}

#[tokio::test]
async fn lazada_does_the_main_job() {
    the_main_job(&open("lazada", faces::lazada::Lazada::new(), |_| {}).await).await;
}

#[tokio::test]
async fn lazada_stops_at_a_cancel_request() {
    a_cancel_request_stops_everything(&open("lazada", faces::lazada::Lazada::new(), |_| {}).await).await;
}

/// Bodies of the last requests, to see what really reached the channel.
fn bodies(shop: &Shop) -> Vec<String> {
    shop.sandbox.requests(shop.id).unwrap().into_iter().map(|request| request.body).collect()
}

#[tokio::test]
async fn shopify_nb_1_the_choice_about_mails_reaches_the_channel() {
    for notify in [true, false] {
        let shop = open("shopify", faces::shopify::Shopify::new(), |o| o.notify_buyer = Some(notify)).await;
        shop.place(1);
        shop.pass(TimeDelta::minutes(30));
        shop.cycle().await;
        shop.centre.ship_all("Yamato", shop.clock.now());
        shop.pass(TimeDelta::hours(1));
        assert_eq!(shop.cycle().await.tally.dispatched, 1);
        let told = format!("\"notifyCustomer\":{notify}");
        assert!(bodies(&shop).iter().any(|body| body.contains(&told)), "{told}");
    }
}

#[tokio::test]
async fn tiktok_shop_hm_1_the_hand_over_method_reaches_the_channel() {
    for (method, word) in [(HandOver::DropOff, "DROP_OFF"), (HandOver::PickUp, "PICKUP")] {
        let face = faces::tiktok_shop::TikTokShop::new();
        let shop = open("tiktok_shop", face, |o| o.hand_over = Some(method)).await;
        shop.place(1);
        shop.pass(TimeDelta::hours(2));
        shop.cycle().await;
        shop.pass(TimeDelta::hours(1));
        shop.cycle().await;
        shop.centre.ship_all("Yamato", shop.clock.now());
        shop.pass(TimeDelta::hours(1));
        assert_eq!(shop.cycle().await.tally.dispatched, 1);
        assert!(
            bodies(&shop).iter().any(|body| body.contains(&format!("\"handover_method\":\"{word}\""))),
            "{word}"
        );
    }
}

#[tokio::test]
async fn rakuten_ke_2_an_ended_licence_pauses_the_account_and_ke_4_its_renewal_takes_everything() {
    let face = faces::rakuten::Rakuten::new();
    let ends: DateTime<Utc> = "2026-11-29T00:00:00Z".parse().unwrap();
    face.put_key(faces::rakuten::Key::new(
        faces::rakuten::SERVICE_SECRET,
        faces::rakuten::LICENSE_KEY,
        Some(ends),
    ));
    let shop = open("rakuten", face.clone(), |_| {}).await;
    shop.place(1);
    shop.pass(TimeDelta::minutes(30));
    let report = shop.cycle().await;
    assert_eq!(report.tally.linked, 1);
    let state = shop.hub.state(&account()).await.unwrap();
    assert_eq!(state.credentials_end.map(|at| at.date_naive()), Some(ends.date_naive()), "KE-1: read by API");
    assert_eq!(report.health, HealthLevel::Degraded, "two days are left");
    shop.pass(TimeDelta::days(3));
    shop.place(1);
    let sent = shop.sandbox.requests("rakuten").unwrap().len();
    let report = shop.cycle().await;
    assert_eq!((report.end, report.health), (End::Paused, HealthLevel::Paused));
    assert_eq!(shop.sandbox.requests("rakuten").unwrap().len(), sent, "no request is sent");

    let renewed = ends + TimeDelta::days(90);
    face.put_key(faces::rakuten::Key::new("SP999999_renewed", "SL999999_renewed", Some(renewed)));
    let half = Credentials::new().with("license_key", "SL999999_renewed").expiring(renewed);
    assert!(shop.hub.renew_credentials(&account(), half).await.is_err(), "KE-3: a part is missing");
    let whole = Credentials::new()
        .with("service_secret", "SP999999_renewed")
        .with("license_key", "SL999999_renewed")
        .expiring(renewed);
    shop.hub.renew_credentials(&account(), whole).await.unwrap();
    shop.pass(TimeDelta::minutes(30));
    let report = shop.cycle().await;
    assert_eq!((report.tally.linked, report.health), (1, HealthLevel::Ok), "{report}");
}

/// The address that a channel calls, where it signs that.
fn address(id: &str) -> &'static str {
    if id == "shopee" { faces::shopee::CALLBACK_URL } else { "" }
}

/// A webhook and a cycle for the same order link it once, in either order and twice.
async fn webhooks_and_cycles_link_once(shop: &Shop, calls: Vec<(Vec<(String, String)>, String)>) {
    let mut linked = 0;
    for (headers, body) in calls.iter().chain(&calls) {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        let request = WebhookRequest::new(&headers, body.as_bytes()).at(address(shop.id));
        let reply = shop.hub.receive_webhook(&account(), &request).await.unwrap();
        assert_eq!(reply.status, 200);
        let broken = body.replacen('1', "2", 1);
        let forged = WebhookRequest::new(&headers, broken.as_bytes()).at(address(shop.id));
        let error = shop.hub.receive_webhook(&account(), &forged).await.unwrap_err();
        assert_eq!(error.kind(), sales_channels::ErrorKind::Unauthorized, "{}", shop.id);
    }
    linked += shop.records().await.iter().filter(|record| record.is_linked()).count();
    assert_eq!(linked, 2, "{}: both by webhook", shop.id);
    shop.pass(TimeDelta::minutes(30));
    let report = shop.cycle().await;
    assert_eq!(report.tally.linked, 0, "{}: {report}", shop.id);
    assert_eq!(shop.records().await.len(), 2, "{}", shop.id);
    assert_eq!(shop.centre.instructed(), 2, "{}", shop.id);
}

#[tokio::test]
async fn shopify_os_12_webhooks_and_cycles_link_once() {
    let face = faces::shopify::Shopify::new();
    let shop = open("shopify", face.clone(), |_| {}).await;
    let orders = [shop.place(1), shop.place(2)];
    let calls = orders.map(|order| face.webhook("orders/create", order).unwrap());
    webhooks_and_cycles_link_once(&shop, calls.map(|call| (call.headers, call.body)).to_vec()).await;
}

#[tokio::test]
async fn tiktok_shop_os_12_webhooks_and_cycles_link_once() {
    let face = faces::tiktok_shop::TikTokShop::new();
    let shop = open("tiktok_shop", face.clone(), |_| {}).await;
    let orders = [shop.place(1), shop.place(2)];
    shop.pass(TimeDelta::hours(2));
    let event = faces::tiktok_shop::Event::OrderStatusChange;
    let calls = orders.map(|order| face.webhook(order, event).unwrap());
    webhooks_and_cycles_link_once(&shop, calls.map(|call| (call.headers, call.body)).to_vec()).await;
}

#[tokio::test]
async fn tiktok_shop_tokens_that_end_are_renewed_and_saved_before_they_are_used() {
    let shop = open("tiktok_shop", faces::tiktok_shop::TikTokShop::new(), |_| {}).await;
    let vault_before = shop.vault.load(&account()).await.unwrap();
    assert!(vault_before.is_none());
    // The access token is good for 7 days.
    for _ in 0..3 {
        shop.pass(TimeDelta::days(6));
        let report = shop.cycle().await;
        assert_eq!((report.end, report.health), (End::Complete, HealthLevel::Ok), "{report}");
    }
    let saved = shop.vault.load(&account()).await.unwrap().unwrap();
    assert_ne!(saved.get("access_token").unwrap().expose(), faces::tiktok_shop::ACCESS_TOKEN);
}

#[tokio::test]
async fn shopee_hm_1_the_hand_over_method_reaches_the_channel() {
    for (method, way, other) in
        [(HandOver::DropOff, "dropoff", "pickup"), (HandOver::PickUp, "pickup", "dropoff")]
    {
        let shop = open("shopee", faces::shopee::Shopee::new(), |o| o.hand_over = Some(method)).await;
        shop.place(1);
        shop.pass(TimeDelta::minutes(30));
        shop.cycle().await;
        shop.pass(TimeDelta::minutes(30));
        shop.cycle().await;
        shop.centre.ship_all("Yamato", shop.clock.now());
        shop.pass(TimeDelta::hours(1));
        assert_eq!(shop.cycle().await.tally.dispatched, 1);
        let requests = shop.sandbox.requests("shopee").unwrap();
        let arranged: Vec<serde_json::Value> = requests
            .iter()
            .filter(|request| request.operation == "logistics.ship_order")
            .map(|request| serde_json::from_str(&request.body).unwrap())
            .collect();
        assert_eq!(arranged.len(), 1, "{method:?}");
        let body = &arranged[0];
        assert!(body.get(way).is_some() && body.get(other).is_none(), "{method:?}: {body}");
    }
}

#[tokio::test]
async fn shopee_hm_3_without_the_method_nothing_is_arranged() {
    let shop = open("shopee", faces::shopee::Shopee::new(), |_| {}).await;
    let order = shop.place(1);
    shop.pass(TimeDelta::minutes(30));
    shop.cycle().await;
    shop.centre.ship_all("Yamato", shop.clock.now());
    shop.pass(TimeDelta::hours(1));
    let report = shop.cycle().await;
    assert_eq!(report.tally.dispatched, 0, "{report}");
    assert_eq!(report.health, HealthLevel::Degraded, "a person is told");
    let why = shop.hub.explain_order(&account(), &shop.records().await[0].order.id).await.unwrap();
    assert!(why.to_string().contains("choose pick-up or drop-off"), "{why}");
    assert!(shop.sandbox.market().dispatches(shop.line(order)).is_empty());
}

#[tokio::test]
async fn shopee_fi_7_a_masked_address_is_not_instructed() {
    let face = faces::shopee::Shopee::new().masking(faces::shopee::Masking::Whole);
    let shop = open("shopee", face, |_| {}).await;
    shop.place(1);
    for _ in 0..3 {
        shop.pass(TimeDelta::minutes(30));
        shop.cycle().await;
    }
    assert_eq!(shop.records().await.len(), 1);
    assert_eq!(shop.centre.instructed(), 0);
}

#[tokio::test]
async fn shopee_an_order_that_a_booking_fulfils_is_left_alone() {
    let face = faces::shopee::Shopee::new();
    let shop = open("shopee", face.clone(), |o| o.hand_over = Some(HandOver::DropOff)).await;
    let (booked, order) = (shop.place(1), shop.place(1));
    let booking = faces::shopee::OrderChange { booking_sn: Some("B1".into()), ..Default::default() };
    face.change_order(booked, booking);
    for _ in 0..3 {
        shop.pass(TimeDelta::minutes(30));
        shop.cycle().await;
    }
    assert_eq!(shop.centre.instructed(), 1, "the other one goes its way");
    shop.centre.ship_all("Yamato", shop.clock.now());
    shop.pass(TimeDelta::hours(1));
    shop.cycle().await;
    assert_eq!(shop.sandbox.market().dispatches(shop.line(order)).len(), 1);
    assert!(shop.sandbox.market().dispatches(shop.line(booked)).is_empty());
}

#[tokio::test]
async fn shopee_os_12_webhooks_and_cycles_link_once() {
    let face = faces::shopee::Shopee::new();
    let shop = open("shopee", face.clone(), |_| {}).await;
    let orders = [shop.place(1), shop.place(2)];
    let calls = orders.map(|order| face.push(order, faces::shopee::Event::OrderStatus).unwrap());
    webhooks_and_cycles_link_once(&shop, calls.map(|call| (call.headers, call.body)).to_vec()).await;
}

#[tokio::test]
async fn shopee_tokens_that_end_are_renewed_and_saved_before_they_are_used() {
    let shop = open("shopee", faces::shopee::Shopee::new(), |_| {}).await;
    assert!(shop.vault.load(&account()).await.unwrap().is_none());
    // The access token is good for 4 hours, and each refresh token once.
    for _ in 0..3 {
        shop.pass(TimeDelta::hours(5));
        let report = shop.cycle().await;
        assert_eq!((report.end, report.health), (End::Complete, HealthLevel::Ok), "{report}");
    }
    let saved = shop.vault.load(&account()).await.unwrap().unwrap();
    for (name, first) in
        [("access_token", faces::shopee::ACCESS_TOKEN), ("refresh_token", faces::shopee::REFRESH_TOKEN)]
    {
        assert_ne!(saved.get(name).unwrap().expose(), first);
    }
}

#[tokio::test]
async fn lazada_the_number_that_lazada_gives_reaches_the_fulfilment_centre() {
    let shop = open("lazada", faces::lazada::Lazada::new(), |_| {}).await;
    let order = shop.place(2);
    shop.pass(TimeDelta::minutes(30));
    shop.cycle().await;
    shop.centre.ship_all_unnumbered(shop.clock.now());
    for _ in 0..2 {
        shop.pass(TimeDelta::hours(1));
        shop.cycle().await;
    }
    let left = shop.sandbox.market().dispatches(shop.line(order));
    let told: Vec<String> = shop.centre.given().into_values().map(|tracking| tracking.number).collect();
    assert_eq!((told.len(), &told), (1, &left));
}

#[tokio::test]
async fn lazada_os_12_webhooks_and_cycles_link_once() {
    let face = faces::lazada::Lazada::new();
    let shop = open("lazada", face.clone(), |_| {}).await;
    let orders = [shop.place(1), shop.place(2)];
    let message = faces::lazada::PushMessage::TradeOrder;
    let calls = orders.map(|order| face.pushes(order, message).remove(0));
    webhooks_and_cycles_link_once(&shop, calls.map(|call| (call.headers, call.body)).to_vec()).await;
}

#[tokio::test]
async fn lazada_tokens_that_end_are_renewed_and_saved_before_they_are_used() {
    let shop = open("lazada", faces::lazada::Lazada::new(), |_| {}).await;
    assert!(shop.vault.load(&account()).await.unwrap().is_none());
    // The access token is good for 30 days, and each refresh token once.
    for _ in 0..3 {
        shop.pass(TimeDelta::days(29));
        let report = shop.cycle().await;
        assert_eq!((report.end, report.health), (End::Complete, HealthLevel::Ok), "{report}");
    }
    let saved = shop.vault.load(&account()).await.unwrap().unwrap();
    for (name, first) in
        [("access_token", faces::lazada::ACCESS_TOKEN), ("refresh_token", faces::lazada::REFRESH_TOKEN)]
    {
        assert_ne!(saved.get(name).unwrap().expose(), first);
    }
}
