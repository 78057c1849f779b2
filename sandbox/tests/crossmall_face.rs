//! The CROSS MALL face over plain HTTP, as a client would that knows only the documentation.

// Helpers of tests are not marked as tests, and may fail like them.
#![allow(clippy::unwrap_used, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Client;
use sales_channels_sandbox::faces::crossmall::{
    ACCOUNT, AUTH_KEY, CrossMall, OTHER_ACCOUNT, OTHER_AUTH_KEY, OTHER_SELLER, Phase, Quotes, RowOrder,
    Stage, TotalOf, signing,
};
use sales_channels_sandbox::fault::Fault;
use sales_channels_sandbox::market::{
    Action, Axis, ItemDraft, ItemId, LineDraft, LineState, OptionId, OrderDraft, OrderNumber, Refusal,
};
use sales_channels_sandbox::{Amount, Market, Sandbox};
use serde_json::{Value, json};

/// 21:00 in Japan.
fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// An answer: status word, message, `TotalResult`, rows.
#[derive(Debug)]
struct Answer {
    root: String,
    word: String,
    message: String,
    total: usize,
    rows: Vec<Vec<(String, String)>>,
    text: String,
}

impl Answer {
    fn read(text: String) -> Self {
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let child = |node: roxmltree::Node<'_, '_>, name: &str| -> Option<String> {
            let found = node.children().find(|child| child.has_tag_name(name))?;
            Some(found.text().unwrap_or_default().to_owned())
        };
        let set = root.children().find(|node| node.has_tag_name("ResultSet")).unwrap();
        let status = set.children().find(|node| node.has_tag_name("ResultStatus")).unwrap();
        let tag = if root.tag_name().name().starts_with("Upd") { "UpdStatus" } else { "GetStatus" };
        let fields = |row: roxmltree::Node<'_, '_>| {
            let fields = row.children().filter(roxmltree::Node::is_element);
            fields
                .map(|f| (f.tag_name().name().to_owned(), f.text().unwrap_or_default().to_owned()))
                .collect()
        };
        let results = set.children().filter(|node| node.has_tag_name("Result"));
        for (at, row) in results.clone().enumerate() {
            assert_eq!(row.attribute("No"), Some(&*(at + 1).to_string()));
        }
        Self {
            root: root.tag_name().name().to_owned(),
            word: child(status, tag).unwrap(),
            message: child(status, "Message").unwrap_or_default(),
            total: set.attribute("TotalResult").unwrap().parse().unwrap(),
            rows: results.map(fields).collect(),
            text: text.clone(),
        }
    }

    fn column(&self, name: &str) -> Vec<&str> {
        let cell = |row: &'_ Vec<(String, String)>| row.iter().position(|(known, _)| known == name).unwrap();
        self.rows.iter().map(|row| row[cell(row)].1.as_str()).collect()
    }

    fn field(&self, name: &str) -> &str {
        assert_eq!(self.rows.len(), 1, "{}", self.text);
        self.column(name)[0]
    }
}

struct Mall {
    sandbox: Sandbox,
    face: CrossMall,
    client: Client,
}

impl Mall {
    async fn open() -> Self {
        Self::open_with(CrossMall::new()).await
    }

    async fn open_with(face: CrossMall) -> Self {
        let sandbox = Sandbox::builder().face(face.clone()).now(noon()).start().await.unwrap();
        Self { sandbox, face, client: Client::new() }
    }

    fn market(&self) -> &Market {
        self.sandbox.market()
    }

    async fn raw(&self, method: &str, query: &str) -> (u16, String) {
        let url = format!("{}/webapi2/{method}?{query}", self.sandbox.base_url("crossmall").unwrap());
        let response = self.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn call_as(&self, account: &str, key: &str, method: &str, params: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let text = form.append_pair("account", account).extend_pairs(params).finish();
        let (status, body) = self.raw(method, &format!("{text}&signing={}", signing(&text, key))).await;
        assert_eq!(status, 200, "{body}");
        Answer::read(body)
    }

    async fn call(&self, method: &str, params: &[(&str, &str)]) -> Answer {
        self.call_as(ACCOUNT, AUTH_KEY, method, params).await
    }

    async fn ok(&self, method: &str, params: &[(&str, &str)]) -> Answer {
        let answer = self.call(method, params).await;
        assert_eq!((answer.word.as_str(), answer.message.as_str()), ("success", ""), "{method} {params:?}");
        answer
    }

    async fn refused(&self, method: &str, params: &[(&str, &str)]) -> String {
        let answer = self.call(method, params).await;
        assert_eq!((answer.word.as_str(), answer.rows.len()), ("error", 0), "{method} {params:?}");
        answer.message
    }

    async fn found(&self, params: &[(&str, &str)]) -> Vec<String> {
        let answer = self.ok("get_order", params).await;
        answer.column("order_number").into_iter().map(str::to_owned).collect()
    }

    async fn order(&self, order: OrderNumber) -> Answer {
        self.ok("get_order", &[("order_number", &self.number(order)), ("condition", "0")]).await
    }

    async fn to_phase(&self, order: OrderNumber, phase: &str, more: &[(&str, &str)]) -> Answer {
        let number = self.number(order);
        let mut params = vec![("order_number", number.as_str()), ("after_phase_name", phase)];
        params.extend(more);
        self.call("upd_order_phase", &params).await
    }

    async fn moved(&self, order: OrderNumber, phase: &str, more: &[(&str, &str)]) {
        let answer = self.to_phase(order, phase, more).await;
        assert_eq!((answer.root.as_str(), answer.word.as_str()), ("UpdOrderPhase", "success"), "{answer:?}");
    }

    fn number(&self, order: OrderNumber) -> String {
        self.face.order_number(order).unwrap()
    }

    fn place(&self) -> OrderNumber {
        self.market().buyer().place(OrderDraft::example()).unwrap()
    }

    fn place_many(&self, orders: usize) {
        for _ in 0..orders {
            self.place();
        }
    }

    /// An order of one line that is ordered at this time.
    fn place_at(&self, time: &str) -> OrderNumber {
        self.market().buyer().place(OrderDraft::example().paid_at(time.parse().unwrap())).unwrap()
    }

    fn shirt(&self) -> (ItemId, OptionId, OptionId) {
        let axes = |size: &str| vec![Axis::new("サイズ", size), Axis::new("カラー", "Black")];
        let shirt = ItemDraft::simple("t-shirt", "Tシャツ", Amount::whole(3355), 0)
            .with_option(axes("S"), "TS-S-BK", 4)
            .with_option(axes("M"), "TS-M-BK", 9);
        let item = self.market().list(shirt).unwrap();
        let options = self.market().item(item).unwrap().options;
        (item, options[0].id, options[1].id)
    }

    fn line(&self, order: OrderNumber) -> sales_channels_sandbox::market::Line {
        self.market().order(order).unwrap().lines[0].clone()
    }

    fn state(&self, order: OrderNumber) -> LineState {
        self.line(order).state
    }

    async fn control(&self, path: &str, body: Value) -> u16 {
        let url = format!("{}/faces/crossmall/control/{path}", self.sandbox.control_url());
        self.client.put(url).json(&body).send().await.unwrap().status().as_u16()
    }
}

// Signature

const VECTORS: [(&str, &str, &str); 7] = [
    (
        "get_stock",
        "account=ill&item_code=090115-z-01&attribute1_name=S&attribute2_name=Black",
        "db075c0464bd9cd150a1b60e397d8fb4",
    ),
    ("get_order_detail", "account=ill&order_number=00252963", "301c951ccc061ab59b02b317b33f36a9"),
    ("get_order", "account=ill&order_number=00252963&condition=0", "81b6e1a93469cdd06cd27c5cd22a17d6"),
    (
        "get_order",
        "account=ill&condition=1&updated_at_fr=2026-11-24+00%3A00%3A00&updated_at_to=2026-11-24+12%3A00%3A00",
        "b1a126c9d657bd813f5377b807b6cc63",
    ),
    (
        "get_order",
        "account=ill&condition=1&order_number=00252963&updated_at_fr=2026-11-24+00%3A00%3A00&updated_at_to=2026-11-24+12%3A00%3A00",
        "c2300db6bd7db1cf2829a4b25155853c",
    ),
    (
        "get_order",
        "account=ill&updated_at_fr=2017-08-08+12:30:00&updated_at_to=2017-08-08+12:37:00",
        "2ae05d4ac685479425c81f887d4f374a",
    ),
    (
        "upd_order_phase",
        "account=ill&order_number=00252963&after_phase_name=%E7%99%BA%E9%80%81%E5%BE%85%E3%81%A1",
        "3d60325834ff6908b2c1e15b1011e30b",
    ),
];

#[tokio::test]
async fn the_vectors_of_the_sheet_are_let_in() {
    let mall = Mall::open().await;
    let axes = vec![Axis::new("サイズ", "S"), Axis::new("カラー", "Black")];
    let item = ItemDraft::simple("090115-z-01", "Z", Amount::whole(1), 0).with_option(axes, "", 1);
    mall.market().list(item).unwrap();
    let order = mall.place();
    for (method, text, digits) in VECTORS {
        let (status, body) = mall.raw(method, &format!("{text}&signing={digits}")).await;
        assert_eq!((status, Answer::read(body).word.as_str()), (200, "success"), "{text}");
    }
    assert_eq!(mall.face.phase(order).unwrap(), "発送待ち");
}

#[tokio::test]
async fn a_changed_byte_is_refused_everywhere() {
    let mall = Mall::open().await;
    let order = mall.place();
    for (method, text, digits) in VECTORS {
        for at in [0, 9, text.len() - 1] {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            let (_, body) = mall.raw(method, &format!("{changed}&signing={digits}")).await;
            let answer = Answer::read(body);
            assert_eq!((answer.word.as_str(), answer.message.as_str()), ("error", "認証エラー"), "{changed}");
        }
        let wrong = digits.to_uppercase();
        let (_, body) = mall.raw(method, &format!("{text}&signing={wrong}")).await;
        assert_eq!(Answer::read(body).word, "error");
    }
    assert!(mall.face.moves(order).is_empty());
}

#[tokio::test]
async fn signing_stands_last_and_account_first() {
    let mall = Mall::open().await;
    let text = "account=ill&condition=1";
    let digits = signing(text, AUTH_KEY);
    for query in [
        format!("account=ill&signing={digits}&condition=1"),
        format!("{text}&signing={digits}&more=1"),
        text.to_owned(),
        format!("condition=1&account=ill&signing={}", signing("condition=1&account=ill", AUTH_KEY)),
        format!("account=nobody&signing={}", signing("account=nobody", AUTH_KEY)),
        format!("{text}&signing={}", signing(text, OTHER_AUTH_KEY)),
        String::new(),
    ] {
        let (status, body) = mall.raw("get_order", &query).await;
        assert_eq!((status, Answer::read(body).message.as_str()), (200, "認証エラー"), "{query}");
    }
}

#[tokio::test]
async fn the_status_of_refused_credentials_can_be_switched() {
    let mall = Mall::open_with(CrossMall::new().auth_status(401)).await;
    let (status, body) = mall.raw("get_order", "account=ill&signing=00").await;
    assert_eq!((status, Answer::read(body).word.as_str()), (401, "error"));
    let mall = Mall::open_with(CrossMall::new().address_refused(true)).await;
    let message = mall.refused("get_order", &[("condition", "1")]).await;
    assert!(message.contains("IP"), "{message}");
}

#[tokio::test]
async fn only_get_and_known_calls_are_answered() {
    let mall = Mall::open().await;
    let order = mall.place();
    let url = format!("{}/webapi2/upd_order_phase", mall.sandbox.base_url("crossmall").unwrap());
    let text = format!("account=ill&order_number={}&after_phase_name=x", mall.number(order));
    let url = format!("{url}?{text}&signing={}", signing(&text, AUTH_KEY));
    assert_eq!(mall.client.post(url).send().await.unwrap().status(), 405);
    assert_eq!(mall.raw("get_nothing", "").await.0, 404);
    for call in ["upd_stock", "get_diff_stock", "upd_item", "upd_service_status"] {
        mall.refused(call, &[]).await;
        assert_eq!(mall.sandbox.received("crossmall", call).unwrap(), 1);
    }
    assert!(mall.face.moves(order).is_empty());
}

#[tokio::test]
async fn accounts_see_only_their_own() {
    let mall = Mall::open().await;
    let own = mall.place();
    let draft = OrderDraft { seller: OTHER_SELLER.to_owned(), ..OrderDraft::example() };
    let others = mall.market().buyer().place(draft).unwrap();
    // Each account counts for itself.
    assert_eq!((mall.number(own), mall.number(others)), ("00252963".into(), "00252963".into()));
    let codes = |answer: Answer| answer.field("order_code").to_owned();
    let a = codes(mall.ok("get_order", &[("condition", "1")]).await);
    let b = codes(mall.call_as(OTHER_ACCOUNT, OTHER_AUTH_KEY, "get_order", &[("condition", "1")]).await);
    assert!(a.ends_with(&own.to_string()) && b.ends_with(&others.to_string()), "{a} {b}");
}

#[tokio::test]
async fn more_calls_than_the_limit_are_429_until_the_next_second() {
    let mall = Mall::open_with(CrossMall::new().limit(Some(2))).await;
    let (text, digits) = (VECTORS[3].1, VECTORS[3].2);
    let query = format!("{text}&signing={digits}");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(mall.raw("get_order", &query).await.0);
    }
    assert_eq!(statuses, [200, 200, 429]);
    mall.sandbox.advance(TimeDelta::seconds(1));
    assert_eq!(mall.raw("get_order", &query).await.0, 200);
}

// Envelope

#[tokio::test]
async fn the_envelope_is_that_of_the_sheet() {
    let mall = Mall::open().await;
    let empty = mall.ok("get_order", &[("condition", "1")]).await;
    assert_eq!((empty.root.as_str(), empty.total, empty.rows.len()), ("GetOrder", 0, 0));
    mall.place();
    let one = mall.ok("get_order", &[("condition", "1")]).await;
    assert!(one.text.contains("<Result No='1'>") && one.text.contains("<Message></Message>"));
    assert!(one.text.contains(r#"<GetOrder version="1.0"><ResultSet TotalResult="1">"#), "{}", one.text);
}

#[tokio::test]
async fn the_envelope_can_vary() {
    let face = CrossMall::new().quotes(Quotes::Double).without_message(true).total(TotalOf::All).page_size(2);
    let mall = Mall::open_with(face).await;
    mall.place_many(3);
    let page = mall.ok("get_order", &[("condition", "1")]).await;
    assert!(page.text.contains("<Result No=\"1\">") && !page.text.contains("Message"));
    assert_eq!((page.total, page.rows.len()), (3, 2));
    // A refusal has its text all the same.
    assert!(!mall.refused("get_order", &[("condition", "2")]).await.is_empty());
}

#[tokio::test]
async fn a_forbidden_character_spoils_the_document() {
    let mall = Mall::open().await;
    mall.face.spoil_name(mall.place());
    let text = "account=ill&condition=1";
    let (_, body) = mall.raw("get_order", &format!("{text}&signing={}", signing(text, AUTH_KEY))).await;
    assert!(body.contains('\u{1}') && roxmltree::Document::parse(&body).is_err());
}

// get_order

#[tokio::test]
async fn a_row_has_the_fields_of_the_sheet() {
    let mall = Mall::open().await;
    let (item, small, _) = mall.shirt();
    let line = LineDraft { discount: Amount::whole(100), ..LineDraft::of_option(item, small, 2) };
    let draft = OrderDraft { message: "一行目\n<&> \"二\"".into(), ..OrderDraft::of(vec![line]) };
    let draft =
        OrderDraft { shipping_fee: Amount::whole(500), payment_method: "代金引換".into(), ..draft };
    let draft = OrderDraft { desired_delivery: "2026-12-01".parse().ok(), ..draft };
    let order = mall.market().buyer().place(draft).unwrap();
    let row = mall.order(order).await;
    for (field, value) in [
        ("order_number", "00252963"),
        ("order_date", "2026/11/24 21:00:00"),
        ("client_name", "山田 花子"),
        ("client_kana", "ヤマダ ハナコ"),
        ("ship_name", "山田 花子"),
        ("ship_zip", "100-0001"),
        ("ship_address1", "東京都千代田区千代田1-1"),
        ("ship_address2", "テストビル101"),
        ("ship_tel", "090-0000-0001"),
        ("delivery_number", ""),
        ("delivery_name", "ヤマト宅急便"),
        ("delivery_req_date", "2026/12/01"),
        ("delivery_date", ""),
        ("payment_name", "代金引換"),
        ("order_memo", "一行目\n<&> \"二\""),
        ("subtotal_price", "6710"),
        ("carriage_price", "500"),
        ("coupon", "100"),
        ("total_price", "7110"),
        ("phase_name", "注文確認"),
        ("check_mark3", "0"),
        ("cancel_flag", "0"),
        ("bundle_flag", "0"),
        ("bundle_ahead_number", ""),
        ("created_at", "2026/11/24 21:00:00"),
        ("updated_at", "2026/11/24 21:00:00"),
    ] {
        assert_eq!(row.field(field), value, "{field}");
    }
    let code = format!("123456-20261124-{:010}", order.0);
    assert_eq!(row.field("order_code"), code);
    assert!(!row.text.contains("delivery_memo"));
    assert_eq!(mall.control("settings", json!({ "newer_fields": true })).await, 200);
    let newer = mall.order(order).await;
    assert_eq!((newer.field("delivery_memo"), newer.field("order_option10")), ("", ""));
}

#[tokio::test]
async fn pages_go_on_by_number() {
    let mall = Mall::open_with(CrossMall::new().page_size(2)).await;
    let orders: Vec<_> = (0..5).map(|_| mall.place()).collect();
    let mut seen = mall.found(&[("condition", "1")]).await;
    loop {
        let last = seen.last().unwrap().clone();
        let page = mall.found(&[("condition", "1"), ("order_number", &last)]).await;
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, orders.iter().map(|order| mall.number(*order)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_page_holds_100_rows() {
    let mall = Mall::open().await;
    mall.place_many(101);
    let page = mall.ok("get_order", &[]).await;
    assert_eq!((page.rows.len(), page.total), (100, 100));
    let last = page.column("order_number")[99].to_owned();
    assert_eq!(mall.found(&[("condition", "1"), ("order_number", &last)]).await.len(), 1);
}

#[tokio::test]
async fn rows_may_come_the_other_way_round() {
    let mall = Mall::open_with(CrossMall::new().row_order(RowOrder::Descending)).await;
    mall.place_many(2);
    assert_eq!(mall.found(&[("condition", "1")]).await, ["00252964", "00252963"]);
}

#[tokio::test]
async fn a_number_needs_its_condition() {
    let mall = Mall::open().await;
    let order = mall.place();
    mall.place();
    let number = mall.number(order);
    mall.refused("get_order", &[("order_number", &number)]).await;
    mall.refused("get_order", &[("condition", "0")]).await;
    mall.refused("get_order", &[("condition", "2"), ("order_number", &number)]).await;
    mall.refused("get_order", &[("condition", "1"), ("order_number", "x")]).await;
    for written in ["00252963", "252963"] {
        assert_eq!(mall.found(&[("order_number", written), ("condition", "0")]).await, ["00252963"]);
    }
    assert!(mall.found(&[("order_number", "00000001"), ("condition", "0")]).await.is_empty());
}

#[tokio::test]
async fn days_of_order_are_japanese_and_whole() {
    let mall = Mall::open().await;
    let day = mall.place_at("2026-11-22T15:00:00Z");
    let next = mall.place_at("2026-11-23T14:59:59Z");
    let after = mall.place_at("2026-11-23T15:00:00Z");
    let found = mall.found(&[("order_date_fr", "2026-11-23"), ("order_date_to", "2026-11-23")]).await;
    assert_eq!(found, [mall.number(day), mall.number(next)]);
    assert_eq!(mall.found(&[("order_date_fr", "2026-11-24")]).await, [mall.number(after)]);
    mall.refused("get_order", &[("order_date_fr", "2026/11/23")]).await;
    mall.refused("get_order", &[("order_date_to", "2026-11-23 00:00:00")]).await;
}

#[tokio::test]
async fn changes_are_found_by_their_second() {
    let mall = Mall::open().await;
    let order = mall.place();
    mall.sandbox.advance(TimeDelta::hours(1));
    mall.moved(order, "引当待ち", &[]).await;
    let span = |fr: &'static str, to: &'static str| [("updated_at_fr", fr), ("updated_at_to", to)];
    let at = span("2026-11-24 22:00:00", "2026-11-24 22:00:00");
    assert_eq!(mall.found(&at).await.len(), 1);
    assert_eq!(mall.found(&span("2026-11-24 20:00:00", "2026-11-24 21:59:59")).await.len(), 0);
    assert_eq!(mall.found(&span("2026-11-24", "2026-11-24")).await.len(), 1);
    mall.refused("get_order", &[("updated_at_fr", "2026-11-24T22:00:00")]).await;
    mall.control("settings", json!({ "open_ends": true })).await;
    assert_eq!(mall.found(&at).await.len(), 0);
    assert_eq!(mall.found(&span("2026-11-24 21:59:59", "2026-11-24 22:00:01")).await.len(), 1);
}

#[tokio::test]
async fn phases_codes_flags_and_marks_filter() {
    let mall = Mall::open().await;
    let (first, second) = (mall.place(), mall.place());
    mall.moved(second, "発送待ち", &[]).await;
    mall.face.set_held(second, true);
    assert_eq!(mall.found(&[("phase_name", "発送待ち")]).await, [mall.number(second)]);
    assert!(mall.found(&[("phase_name", "発送")]).await.is_empty());
    assert_eq!(mall.found(&[("cancel_flag", "0")]).await, [mall.number(first)]);
    assert_eq!(mall.found(&[("cancel_flag", "1")]).await, [mall.number(second)]);
    mall.refused("get_order", &[("cancel_flag", "3")]).await;
    let code = mall.order(first).await.field("order_code").to_owned();
    assert_eq!(mall.found(&[("order_code", &code)]).await, [mall.number(first)]);
    let number = mall.number(first);
    let mark = [("order_number", number.as_str()), ("check_mark_type", "2"), ("check_mark_value", "1")];
    mall.ok("upd_order_check_mark", &mark).await;
    assert_eq!(mall.found(&[("check_mark2", "1")]).await, [mall.number(first)]);
    assert_eq!(mall.found(&[("check_mark2", "0")]).await, [mall.number(second)]);
    assert!(mall.found(&[("creating_source_type[]", "99")]).await.is_empty());
    assert_eq!(
        mall.found(&[("creating_source_type[]", "99"), ("creating_source_type[]", "1")]).await.len(),
        2
    );
    // Unknown parameters are ignored.
    assert_eq!(mall.found(&[("page", "7")]).await.len(), 2);
}

#[tokio::test]
async fn marks_out_of_range_are_refused() {
    let mall = Mall::open().await;
    let number = mall.number(mall.place());
    for (kind, value) in [("0", "1"), ("4", "1"), ("1", "2"), ("", "1"), ("1", "")] {
        let params = [("order_number", &*number), ("check_mark_type", kind), ("check_mark_value", value)];
        mall.refused("upd_order_check_mark", &params).await;
    }
}

#[tokio::test]
async fn cancelled_and_held_orders_have_their_flags() {
    let mall = Mall::open().await;
    let (held, cancelled) = (mall.place(), mall.place());
    mall.face.set_held(held, true);
    mall.market().back_office().cancel(mall.line(cancelled).number, "").unwrap();
    assert_eq!(mall.order(held).await.field("cancel_flag"), "1");
    let row = mall.order(cancelled).await;
    assert_eq!((row.field("cancel_flag"), row.field("phase_name")), ("2", "注文確認"));
}

#[tokio::test]
async fn orders_come_in_late_with_their_old_time() {
    let mall = Mall::open_with(CrossMall::new().import_lag(420)).await;
    let late = mall.place();
    let later = mall.place();
    assert!(mall.face.hold_import(later));
    assert!(mall.found(&[]).await.is_empty());
    mall.sandbox.advance(TimeDelta::seconds(420));
    assert_eq!(mall.found(&[]).await, [mall.number(late)]);
    mall.sandbox.advance(TimeDelta::days(1));
    mall.face.import(later);
    let row = mall.order(later).await;
    assert_eq!(row.field("order_date"), "2026/11/24 21:00:00");
    assert_eq!(row.field("created_at"), "2026/11/25 21:07:00");
    assert_eq!(row.field("updated_at"), "2026/11/25 21:07:00");
    assert!(!mall.face.hold_import(later));
}

#[tokio::test]
async fn a_deleted_order_comes_back_with_a_new_number() {
    let mall = Mall::open().await;
    let order = mall.place();
    let old = mall.number(order);
    mall.face.delete(order);
    assert!(mall.found(&[("order_number", &old), ("condition", "0")]).await.is_empty());
    mall.refused("get_order_detail", &[("order_number", &old)]).await;
    mall.face.import(order);
    assert_eq!(mall.found(&[]).await, ["00252964"]);
}

#[tokio::test]
async fn personal_data_can_vanish_and_codes_repeat() {
    let mall = Mall::open().await;
    let (first, second) = (mall.place(), mall.place());
    mall.face.blank(first);
    let row = mall.order(first).await;
    assert_eq!((row.field("ship_name"), row.field("client_tel"), row.field("ship_address1")), ("", "", ""));
    let code = row.field("order_code").to_owned();
    mall.face.set_field(second, "order_code", &code);
    assert_eq!(mall.found(&[("order_code", &code)]).await.len(), 2);
}

// Lines

#[tokio::test]
async fn lines_have_the_fields_of_the_sheet() {
    let mall = Mall::open().await;
    let (item, _, medium) = mall.shirt();
    let cap = mall.market().list(ItemDraft::simple("cap", "Cap", Amount::whole(900), 5)).unwrap();
    let unknown = LineDraft::unlisted("", "諸口", Amount::whole(10), 1);
    let lines = vec![LineDraft::of_option(item, medium, 2), LineDraft::of(cap, 1), unknown];
    let order = mall.market().buyer().place(OrderDraft::of(lines)).unwrap();
    mall.face.choose(mall.line(order).number, "名入れ", "あり");
    let answer = mall.ok("get_order_detail", &[("order_number", &mall.number(order))]).await;
    assert_eq!((answer.root.as_str(), answer.total), ("GetOrderDetail", 3));
    for (field, values) in [
        ("order_number", ["00252963", "00252963", "00252963"]),
        ("line_no", ["1", "2", "3"]),
        ("item_code", ["t-shirt", "cap", ""]),
        ("item_name", ["Tシャツ", "Cap", "諸口"]),
        ("attribute1_code", ["02", "", ""]),
        ("attribute1_name", ["M", "", ""]),
        ("attribute2_code", ["01", "", ""]),
        ("attribute2_name", ["Black", "", ""]),
        ("item_option1_label", ["名入れ", "", ""]),
        ("item_option1", ["あり", "", ""]),
        ("item_option20", ["", "", ""]),
        ("amount", ["2", "1", "1"]),
        ("unit_price", ["3355", "900", "10"]),
        ("amount_price", ["6710", "900", "10"]),
        ("component_flag", ["0", "0", "0"]),
    ] {
        assert_eq!(answer.column(field), values, "{field}");
    }
    assert!(answer.column("free_item_code")[2].starts_with("free-"));
    mall.refused("get_order_detail", &[]).await;
    mall.refused("get_order_detail", &[("order_number", "00000001")]).await;
}

#[tokio::test]
async fn cancelled_lines_and_pieces_are_not_shown() {
    let mall = Mall::open().await;
    let line = |code| LineDraft::unlisted(code, code, Amount::whole(100), 3);
    let order = mall.market().buyer().place(OrderDraft::of(vec![line("a"), line("b")])).unwrap();
    let lines = mall.market().lines_of(order);
    mall.market().back_office().cancel(lines[0], "").unwrap();
    mall.market().back_office().cancel_units(lines[1], 1, "").unwrap();
    let answer = mall.ok("get_order_detail", &[("order_number", &mall.number(order))]).await;
    assert_eq!((answer.field("line_no"), answer.field("amount")), ("2", "2"));
    assert_eq!(mall.order(order).await.field("total_price"), "200");
    mall.market().back_office().cancel(lines[1], "").unwrap();
    let answer = mall.ok("get_order_detail", &[("order_number", &mall.number(order))]).await;
    assert_eq!(answer.column("amount"), ["3", "3"]);
}

#[tokio::test]
async fn sets_show_their_parts_and_have_no_stock() {
    let mall = Mall::open().await;
    let (shirt, small, _) = mall.shirt();
    let set = mall.market().list(ItemDraft::simple("set", "Set", Amount::whole(5000), 9)).unwrap();
    mall.face.make_set(set, vec![(shirt, Some(small), 2)]);
    let order = mall.market().buyer().place(OrderDraft::of(vec![LineDraft::of(set, 1)])).unwrap();
    let number = mall.number(order);
    let lines = mall.ok("get_order_detail", &[("order_number", &number)]).await;
    assert_eq!((lines.field("component_flag"), lines.field("jan_cd")), ("1", ""));
    let parts = mall.ok("get_order_component", &[("order_number", &number), ("line_no", "1")]).await;
    for (field, value) in [
        ("set_item_code", "set"),
        ("item_code", "t-shirt"),
        ("attribute1_name", "S"),
        ("component_count", "2"),
    ] {
        assert_eq!(parts.field(field), value);
    }
    mall.refused("get_order_component", &[("order_number", &number)]).await;
    mall.refused("get_order_component", &[("order_number", &number), ("line_no", "2")]).await;
    mall.refused("get_stock", &[("item_code", "set")]).await;
    let plain = mall.number(mall.place());
    let none = mall.ok("get_order_component", &[("order_number", &plain), ("line_no", "1")]).await;
    assert!(none.rows.is_empty());
}

#[tokio::test]
async fn a_bundled_child_is_refused_but_listed() {
    let mall = Mall::open().await;
    let (parent, child) = (mall.place(), mall.place());
    mall.face.bundle(child, Some(parent));
    let row = mall.order(child).await;
    assert_eq!((row.field("bundle_flag"), row.field("bundle_ahead_number")), ("1", "00252963"));
    assert_eq!(mall.order(parent).await.field("bundle_ahead_number"), "");
    let number = mall.number(child);
    mall.refused("get_order_detail", &[("order_number", &number)]).await;
    mall.refused("get_order_component", &[("order_number", &number), ("line_no", "1")]).await;
    assert_eq!(mall.to_phase(child, "発送待ち", &[]).await.word, "error");
    assert_eq!(mall.state(child), LineState::Paid);
    let own = mall.number(parent);
    let lines = mall.ok("get_order_detail", &[("order_number", &own)]).await;
    assert_eq!(lines.column("line_no"), ["1", "2"]);
    assert_eq!(lines.column("order_number"), ["00252963", "00252963"]);
    mall.control("settings", json!({ "parent_has_all_lines": false })).await;
    assert_eq!(mall.ok("get_order_detail", &[("order_number", &own)]).await.rows.len(), 1);
    mall.face.bundle(child, None);
    mall.ok("get_order_detail", &[("order_number", &number)]).await;
}

// Moves

#[tokio::test]
async fn moving_to_a_confirmed_phase_confirms_and_a_repeat_shows() {
    let mall = Mall::open().await;
    let order = mall.place();
    let line = mall.line(order).number;
    mall.moved(order, "発送待ち", &[]).await;
    assert_eq!(mall.market().confirmations(line), 1);
    assert_eq!(mall.order(order).await.field("phase_name"), "発送待ち");
    mall.moved(order, "発送待ち", &[]).await;
    assert_eq!(mall.market().confirmations(line), 1);
    let refused = |event: &&sales_channels_sandbox::market::Event| event.refused.is_some();
    let record = mall.market().record_of(line);
    let again: Vec<_> = record.iter().filter(refused).collect();
    assert_eq!(again[0].refused, Some(Refusal::AlreadyConfirmed));
    assert_eq!(mall.face.moves(order).len(), 2);
}

#[tokio::test]
async fn a_number_is_written_without_moving_and_then_moved() {
    let mall = Mall::open().await;
    let order = mall.place();
    let line = mall.line(order).number;
    mall.moved(order, "発送待ち", &[]).await;
    let number =
        [("delivery_no", "1234-5678"), ("delivery_date", "2026-11-25"), ("delivery_date_update", "1")];
    let more = [number[0], number[1], number[2], ("delivery_name", "佐川急便")];
    mall.moved(order, "発送待ち", &more).await;
    let row = mall.order(order).await;
    assert_eq!((row.field("delivery_number"), row.field("delivery_date")), ("1234-5678", "2026/11/25"));
    assert_eq!((row.field("delivery_name"), row.field("delivery_code")), ("佐川急便", "2"));
    // A number is no dispatch, and a number written is no second confirmation.
    assert_eq!(mall.state(order), LineState::Confirmed);
    let record = mall.market().record_of(line);
    assert!(record.iter().all(|event| event.is_done()), "{record:?}");
    let entered = |event: &&sales_channels_sandbox::market::Event| matches!(&event.action, Action::TrackingEntered { tracking, .. } if tracking == "1234-5678");
    assert_eq!(record.iter().filter(entered).count(), 1);

    mall.moved(order, "完了", &[]).await;
    assert_eq!(mall.market().dispatches(line), ["1234-5678"]);
    assert_eq!(mall.market().order(order).unwrap().parcels[0].carrier, "佐川急便");
    mall.moved(order, "完了", &[]).await;
    assert_eq!(mall.market().dispatches(line), ["1234-5678", "1234-5678"]);
    let moves = mall.face.moves(order);
    assert_eq!(
        moves.iter().map(|m| m.to.as_str()).collect::<Vec<_>>(),
        ["発送待ち", "発送待ち", "完了", "完了"]
    );
    assert_eq!(moves[1].tracking.as_deref(), Some("1234-5678"));
}

#[tokio::test]
async fn number_and_move_can_come_in_one_call() {
    let mall = Mall::open().await;
    let order = mall.place();
    mall.moved(order, "完了", &[("delivery_no", "99")]).await;
    assert_eq!(mall.market().dispatches(mall.line(order).number), ["99"]);
    assert_eq!(mall.order(order).await.field("delivery_number"), "99");
}

#[tokio::test]
async fn a_ship_date_is_kept_unless_it_is_to_be_written_over() {
    let mall = Mall::open().await;
    let order = mall.place();
    for (date, update, shown) in [
        ("2026-11-25", "0", "2026/11/25"),
        ("2026-11-26", "0", "2026/11/25"),
        ("2026-11-27", "1", "2026/11/27"),
    ] {
        mall.moved(order, "注文確認", &[("delivery_date", date), ("delivery_date_update", update)]).await;
        assert_eq!(mall.order(order).await.field("delivery_date"), shown);
    }
}

#[tokio::test]
async fn a_tracking_number_can_be_ignored_on_success() {
    let mall = Mall::open_with(CrossMall::new().ignore_tracking(true)).await;
    let order = mall.place();
    mall.moved(order, "注文確認", &[("delivery_no", "1")]).await;
    assert_eq!(mall.order(order).await.field("delivery_number"), "");
}

#[tokio::test]
async fn what_is_wrong_with_a_move_is_refused_and_changes_nothing() {
    let mall = Mall::open().await;
    let order = mall.place();
    for (phase, more) in [
        ("知らない", vec![]),
        ("", vec![]),
        ("完了", vec![("delivery_date", "2026/11/25")]),
        ("完了", vec![("delivery_date", "2026-11-25"), ("delivery_date_update", "2")]),
        ("完了", vec![("delivery_no", "1"), ("delivery_name", "ヤマト")]),
    ] {
        assert_eq!(mall.to_phase(order, phase, &more).await.word, "error", "{phase} {more:?}");
    }
    mall.refused("upd_order_phase", &[("after_phase_name", "完了")]).await;
    mall.refused("upd_order_phase", &[("order_number", "1"), ("after_phase_name", "完了")]).await;
    assert_eq!((mall.state(order), mall.face.moves(order).len()), (LineState::Paid, 0));
    assert_eq!(mall.order(order).await.field("delivery_number"), "");
}

#[tokio::test]
async fn a_time_slot_that_the_new_service_lacks_is_refused_or_cleared() {
    let mall = Mall::open().await;
    let order = mall.place();
    mall.face.set_time_slot(order, "午前中");
    let to = |more| [("delivery_name", "ネコポス"), ("delivery_time_convert_error", more)];
    assert_eq!(mall.to_phase(order, "注文確認", &to("0")).await.word, "error");
    let row = mall.order(order).await;
    assert_eq!((row.field("delivery_name"), row.field("delivery_time_name")), ("ヤマト宅急便", "午前中"));
    mall.moved(order, "注文確認", &to("1")).await;
    let row = mall.order(order).await;
    assert_eq!((row.field("delivery_name"), row.field("delivery_time_name")), ("ネコポス", ""));
}

#[tokio::test]
async fn an_order_can_be_thrown_back() {
    let mall = Mall::open().await;
    let order = mall.place();
    mall.moved(order, "完了", &[("delivery_no", "1")]).await;
    mall.moved(order, "発送待ち", &[]).await;
    assert_eq!(mall.order(order).await.field("phase_name"), "発送待ち");
    // In the market it has left all the same.
    assert_eq!(mall.state(order), LineState::Shipped);
}

#[tokio::test]
async fn what_happens_elsewhere_moves_the_phase() {
    let mall = Mall::open().await;
    let draft = OrderDraft { unpaid: true, ..OrderDraft::example() };
    let order = mall.market().buyer().place(draft).unwrap();
    let line = mall.line(order).number;
    assert_eq!(mall.order(order).await.field("phase_name"), "入金待ち");
    mall.market().buyer().pay(order).unwrap();
    mall.moved(order, "引当待ち", &[]).await;
    mall.market().back_office().confirm(line, None).unwrap();
    assert_eq!(mall.order(order).await.field("phase_name"), "発送待ち");
    mall.market().back_office().ship_line(line, "ゆうパック", "77").unwrap();
    let row = mall.order(order).await;
    assert_eq!((row.field("phase_name"), row.field("delivery_number")), ("完了", "77"));
    assert_eq!(row.field("delivery_name"), "ゆうパック");
}

#[tokio::test]
async fn a_person_can_move_between_read_and_write() {
    let mall = Mall::open().await;
    let order = mall.place();
    mall.face.move_phase_after_read(order, "完了");
    // Lists don't count as reading it.
    assert_eq!(mall.found(&[("phase_name", "注文確認")]).await.len(), 1);
    assert_eq!(mall.order(order).await.field("phase_name"), "注文確認");
    assert_eq!(mall.order(order).await.field("phase_name"), "完了");
    let moves = mall.face.moves(order);
    assert_eq!((moves.len(), moves[0].by_api), (1, false));
    assert!(!mall.face.move_phase(order, "知らない"));
}

#[tokio::test]
async fn a_lost_answer_leaves_the_move_done() {
    let mall = Mall::open().await;
    let order = mall.place();
    let number = mall.number(order);
    mall.sandbox.faults().next_of("crossmall", "upd_order_phase", 1, Fault::response_lost());
    let text = format!("account=ill&order_number={number}&after_phase_name=%E5%AE%8C%E4%BA%86");
    let base = mall.sandbox.base_url("crossmall").unwrap();
    let url = format!("{base}/webapi2/upd_order_phase?{text}&signing={}", signing(&text, AUTH_KEY));
    assert!(mall.client.get(url).send().await.is_err());
    assert_eq!(mall.state(order), LineState::Shipped);
}

#[tokio::test]
async fn phases_are_the_accounts_own() {
    let phases = vec![Phase::of("新規", Stage::New), Phase::of("受付", Stage::Confirmed)];
    let mall = Mall::open_with(CrossMall::new().phases(phases)).await;
    let order = mall.place();
    assert_eq!(mall.order(order).await.field("phase_name"), "新規");
    assert_eq!(mall.ok("get_phase", &[]).await.column("phase_name"), ["新規", "受付"]);
    mall.moved(order, "受付", &[]).await;
    assert_eq!(mall.state(order), LineState::Confirmed);
    assert_eq!(mall.to_phase(order, "発送待ち", &[]).await.word, "error");
}

// Items and stock

#[tokio::test]
async fn items_are_listed_by_code() {
    let mall = Mall::open_with(CrossMall::new().page_size(2)).await;
    for code in ["cap", "bag", "axe"] {
        mall.market().list(ItemDraft::simple(code, code, Amount::whole(100), 1)).unwrap();
    }
    let other =
        ItemDraft { seller: OTHER_SELLER.to_owned(), ..ItemDraft::simple("zip", "z", Amount::ZERO, 1) };
    mall.market().list(other).unwrap();
    mall.shirt();
    let first = mall.ok("get_item", &[("condition", "1")]).await;
    assert_eq!((first.root.as_str(), first.column("item_code")), ("GetItem", vec!["axe", "bag"]));
    let next = mall.ok("get_item", &[("condition", "1"), ("item_code", "bag"), ("sort_type", "0")]).await;
    assert_eq!(next.column("item_code"), ["cap", "t-shirt"]);
    assert_eq!(next.column("attribute1_name"), ["", "サイズ"]);
    assert!(mall.ok("get_item", &[("condition", "1"), ("item_code", "t-shirt")]).await.rows.is_empty());
    let one = mall.ok("get_item", &[("item_code", "t-shirt")]).await;
    assert_eq!((one.field("item_name"), one.field("unit_price")), ("Tシャツ", "3355"));
}

#[tokio::test]
async fn changed_items_are_found() {
    let mall = Mall::open().await;
    let (item, small, _) = mall.shirt();
    mall.market().list(ItemDraft::simple("cap", "cap", Amount::whole(100), 1)).unwrap();
    let since = [("updated_at_fr", "2026-11-24 00:00:00")];
    assert!(mall.ok("get_item", &since).await.rows.is_empty());
    mall.market().back_office().set_quantity(item, Some(small), 3).unwrap();
    assert_eq!(mall.ok("get_item", &since).await.field("item_code"), "t-shirt");
    mall.refused("get_item", &[("updated_at_fr", "yesterday")]).await;
}

#[tokio::test]
async fn variants_have_codes_and_sku() {
    let mall = Mall::open().await;
    mall.shirt();
    mall.market().list(ItemDraft::simple("cap", "cap", Amount::whole(100), 1)).unwrap();
    let rows = mall.ok("get_item_sku", &[("item_code", "t-shirt")]).await;
    assert_eq!(rows.column("attribute1_code"), ["01", "02"]);
    assert_eq!(rows.column("attribute1_name"), ["S", "M"]);
    assert_eq!(rows.column("item_sku_code"), ["TS-S-BK", "TS-M-BK"]);
    let cap = mall.ok("get_item_sku", &[("item_code", "cap")]).await;
    assert_eq!((cap.field("attribute1_code"), cap.field("item_sku_code")), ("", ""));
    mall.control("settings", json!({ "simple_items_have_no_sku_row": true })).await;
    assert!(mall.ok("get_item_sku", &[("item_code", "cap")]).await.rows.is_empty());
    mall.refused("get_item_sku", &[("item_code", "none")]).await;
    mall.refused("get_item_sku", &[]).await;
    let one = mall.ok("get_item_attribute", &[("item_code", "t-shirt"), ("attribute_type", "1")]).await;
    assert_eq!(one.column("attribute_name"), ["S", "M"]);
    let two = mall.ok("get_item_attribute", &[("item_code", "t-shirt"), ("attribute_type", "2")]).await;
    assert_eq!(two.column("attribute_name"), ["Black"]);
    mall.refused("get_item_attribute", &[("item_code", "t-shirt"), ("attribute_type", "3")]).await;
}

#[tokio::test]
async fn stock_is_read_by_code_sku_and_jan() {
    let mall = Mall::open().await;
    let (item, small, _) = mall.shirt();
    mall.market().back_office().shift_quantity(item, Some(small), -6).unwrap();
    let all = mall.ok("get_stock", &[("item_code", "t-shirt")]).await;
    assert_eq!((all.root.as_str(), all.column("stock")), ("GetStock", vec!["-2", "9"]));
    assert_eq!(all.column("item_cd"), ["t-shirt", "t-shirt"]);
    let by = [("item_code", "t-shirt"), ("attribute1_name", "M"), ("attribute2_name", "Black")];
    assert_eq!(mall.ok("get_stock", &by).await.field("stock"), "9");
    assert_eq!(mall.ok("get_stock", &[("sku_code", "TS-S-BK")]).await.field("stock"), "-2");
    let skus = mall.ok("get_item_sku", &[("item_code", "t-shirt")]).await;
    let jan = skus.column("jan_code")[1];
    assert_eq!(mall.ok("get_stock", &[("jan_code", jan)]).await.field("attribute1_name"), "M");
    for params in [("item_code", "none"), ("sku_code", "none"), ("jan_code", "1")] {
        assert_eq!(mall.refused("get_stock", &[params]).await, "商品コードが見つかりません。");
    }
    mall.refused("get_stock", &[]).await;
    mall.refused("get_stock", &[("item_code", "t-shirt"), ("attribute1_name", "XL")]).await;
}

// Control port

#[tokio::test]
async fn switches_are_on_the_control_port() {
    let mall = Mall::open().await;
    let order = mall.place();
    let path = format!("orders/{order}");
    assert_eq!(mall.control(&path, json!({ "phase": "発送待ち", "held": true })).await, 200);
    assert_eq!(mall.state(order), LineState::Confirmed);
    let shown = format!("{}/faces/crossmall/control/{path}", mall.sandbox.control_url());
    let shown = mall.client.get(shown).send().await.unwrap().text().await.unwrap();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["order_number"], &shown["moves"][0]["by_api"]), (&json!("00252963"), &json!(false)));
    assert_eq!(mall.order(order).await.field("cancel_flag"), "1");
    assert_eq!(mall.control(&path, json!({ "phase": "知らない" })).await, 400);
    assert_eq!(mall.control(&path, json!({ "hold_import": true })).await, 409);
    assert_eq!(mall.control("orders/1", json!({ "held": true })).await, 404);
    assert_eq!(mall.control("settings", json!({ "page_size": 1, "limit": 0 })).await, 200);
    mall.place();
    assert_eq!(mall.found(&[]).await.len(), 1);
}
