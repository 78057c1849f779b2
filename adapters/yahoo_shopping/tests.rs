//! The pure parts: tables row by row, orders, lists, requests.

use chrono::{DateTime, Utc};
use rsa::pkcs8::DecodePrivateKey as _;

use super::auth::{Body, check, key_trouble, read_key, signature};
use super::cancels::{cancel_ask, cancel_result, is_cancelled, objection, requests};
use super::confirm::seen_ask;
use super::dispatch::{Plan, plan, ship_ask};
use super::errors::{Method, judge_body, told, verdict, warnings};
use super::listings::{Item, categories_result, item_result, items_result};
use super::lists::{Head, Listed, list_ask, list_result, next_page};
use super::orders::{Got, info_ask, info_result};
use super::park::until_tomorrow;
use super::rows::{Kept, Read};
use super::status::Block;
use super::stock::{Record, Said, code_of, push, read_ask, read_result, set_ask, set_result};
use super::window::{Page, Place, Search, Span};
use super::wire::{Req, day, decoded, stamp, time};
use super::*;
use crate::channel::{CancelReason, Row, Secret, Tracking};
use crate::error::{Effect, Retry};
use crate::model::{Hold, LineId, ListingState, OrderId, OrderStatus};
use crate::xml::Element;

const ORDER: &str = include_str!("../../tests/samples/yahoo_shopping/order_info.response.xml");
const LIST: &str = include_str!("../../tests/samples/yahoo_shopping/order_list.response.xml");
const LIST_OFFICIAL: &str =
    include_str!("../../tests/samples/yahoo_shopping/order_list_official.response.xml");
const LIST_EMPTY: &str = include_str!("../../tests/samples/yahoo_shopping/order_list_empty.response.xml");
const LIST_PAST_END: &str =
    include_str!("../../tests/samples/yahoo_shopping/order_list_past_end.response.xml");
const SPLIT: &str = include_str!("../../tests/samples/yahoo_shopping/order_split.response.xml");
const UPDATE_OK: &str = include_str!("../../tests/samples/yahoo_shopping/update_ok.response.xml");
const UPDATE_WARNING: &str = include_str!("../../tests/samples/yahoo_shopping/update_warning.response.xml");
const GET_STOCK: &str = include_str!("../../tests/samples/yahoo_shopping/get_stock.response.xml");
const SET_STOCK: &str = include_str!("../../tests/samples/yahoo_shopping/set_stock.response.xml");
const SET_STOCK_207: &str = include_str!("../../tests/samples/yahoo_shopping/set_stock_207.response.xml");
const ITEMS: &str = include_str!("../../tests/samples/yahoo_shopping/my_item_list.response.xml");
const ITEM: &str = include_str!("../../tests/samples/yahoo_shopping/get_item_subcodes.response.xml");
const ERROR_PARAMETER: &str = include_str!("../../tests/samples/yahoo_shopping/error_od90101.response.xml");
const ERROR_SESSION: &str = include_str!("../../tests/samples/yahoo_shopping/error_px04102.response.xml");
const ERROR_TOKEN: &str =
    include_str!("../../tests/samples/yahoo_shopping/error_expired_token_401.response.xml");
const PRIVATE_KEY: &str = include_str!("../../tests/yahoo_shopping/test_key.pem");
const KEY: &str = include_str!("../../tests/yahoo_shopping/test_key.pub.pem");

/// Names and values.
type Fields = &'static [(&'static str, &'static str)];

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

fn read_at() -> DateTime<Utc> {
    at("2026-11-24T12:00:00+09:00")
}

fn sample_file(name: &str) -> String {
    let text = std::fs::read_to_string(format!("tests/samples/yahoo_shopping/{name}")).unwrap();
    let text = text.split_once("?>").map_or(text.clone(), |(_, rest)| rest.to_owned());
    text.lines().map(str::trim).collect()
}

fn xml_of(ask: &auth::Ask) -> String {
    match &ask.body {
        Body::Xml(xml) => xml.split_once("?>").unwrap().1.to_owned(),
        other => panic!("{other:?}"),
    }
}

fn read(body: &str, id: &str) -> Read {
    match info_result(body.as_bytes(), id, read_at()).unwrap() {
        Got::Order(read) => *read,
        Got::Unreadable(row) => panic!("unreadable: {}", row.reason),
    }
}

fn read_sample(body: &str) -> Read {
    read(body, "testseller-10005002")
}

/// The sample with other values: `name=value`, added where the sample lacks them.
fn changed(fields: &[(&str, &str)]) -> String {
    let mut body = ORDER.to_owned();
    for (name, value) in fields {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        match (body.find(&open), body.find(&close)) {
            (Some(from), Some(to)) => body.replace_range(from + open.len()..to, value),
            _ => body = body.replace("<OrderTime>", &format!("{open}{value}{close}<OrderTime>")),
        }
    }
    body
}

fn order_with(fields: &[(&str, &str)]) -> Order {
    read_sample(&changed(fields)).order
}

#[test]
fn the_sample_order_is_read_field_by_field() {
    let order = read_sample(ORDER).order;
    assert_eq!(
        (order.id.as_str(), order.status, order.group.as_deref()),
        ("testseller-10005002", OrderStatus::New, None)
    );
    assert_eq!(order.ordered_at, at("2018-12-11T20:14:00+09:00"));
    assert_eq!(order.updated_at, at("2019-01-18T17:54:16+09:00"));
    assert_eq!(order.paid_at, Some(at("2019-01-18T17:54:12+09:00")));
    assert_eq!((order.holds.as_slice(), order.expected_ship_date), (&[][..], None));
    let buyer = order.buyer.reveal();
    assert_eq!((buyer.name.as_str(), buyer.name_reading.as_str()), ("注文 完了", "チュウモン カンリョウ"));
    assert_eq!(buyer.email, "buyer@example.invalid");
    let [to] = order.destinations.as_slice() else { panic!("one destination") };
    let to = to.recipient.reveal();
    assert_eq!((to.phone.as_str(), to.address.postal_code.as_str()), ("99-8888-7777", "9999999"));
    assert_eq!((to.address.region.as_str(), to.address.city.as_str()), ("東京都", "港区"));
    assert_eq!(to.address.lines, ["赤坂9-7-1", "ミッドタウン・タワー"]);
    let [line] = order.lines.as_slice() else { panic!("one line") };
    assert_eq!((line.id.as_str(), line.quantity, line.outstanding()), ("1", 1, 1));
    assert_eq!(line.listing, ListingKey::item("cc"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "cc");
    assert_eq!(line.title, "テスト商品１００１");
    assert_eq!(line.unit_price.unwrap().to_string(), "100 JPY");
    assert_eq!((line.total.unwrap().to_string(), line.discount), ("100 JPY".into(), None));
    assert_eq!(order.totals.total.unwrap().to_string(), "500 JPY");
    assert_eq!(order.totals.shipping.unwrap().to_string(), "0 JPY");
    assert_eq!(order.totals.discount.unwrap().to_string(), "0 JPY");
    assert_eq!((order.memo.is_none(), order.tracking.len()), (true, 0));
    assert!(order.raw.reveal().starts_with("<OrderInfo>") && ORDER.contains(order.raw.reveal()));
}

#[test]
fn options_coupons_texts_and_wishes_are_read() {
    let item = r"<Item><LineId>7</LineId><ItemId><![CDATA[item-n77]]></ItemId><Title><![CDATA[A & B <b> 🌿]]></Title>
        <SubCode><![CDATA[4201]]></SubCode><SubCodeOption></SubCodeOption>
        <ItemOption><Index>1</Index><Name><![CDATA[カラー]]></Name><Value><![CDATA[ブラック]]></Value></ItemOption>
        <ItemOption><Name>サイズ</Name><Value>M</Value></ItemOption>
        <Inscription><Name><![CDATA[熨斗]]></Name><Value><![CDATA[矢風 &amp; 太郎]]></Value></Inscription>
        <UnitPrice>2700</UnitPrice><OriginalPrice>3000</OriginalPrice><Quantity>
          2
        </Quantity><LeadTimeEnd>2018-12-20</LeadTimeEnd></Item><Detail>";
    let body = changed(&[
        ("BuyerComments", "<![CDATA[よろしく & どうぞ]]>"),
        ("GiftWrapMessage", "おめでとう"),
        ("ShipRequestDate", "2018-12-24"),
        ("ShipRequestTime", "12:00～14:00"),
        ("IsMultiShip", "true"),
        ("MultiShipId", "m-1"),
        ("Discount", "500"),
        ("TotalMallCouponDiscount", "100"),
    ])
    .replace("<Detail>", item);
    let order = read_sample(&body).order;
    let line = &order.lines[1];
    assert_eq!(line.listing, ListingKey::option("item-n77", "4201"));
    assert_eq!(line.sku.as_ref().unwrap().as_str(), "4201");
    assert_eq!(
        (line.title.as_str(), line.option_text.as_str()),
        ("A & B <b> 🌿", "カラー: ブラック, サイズ: M")
    );
    let money = [line.unit_price, line.discount, line.total].map(|money| money.unwrap().to_string());
    assert_eq!(money, ["3000 JPY", "600 JPY", "5400 JPY"]);
    assert_eq!(order.totals.discount.unwrap().to_string(), "600 JPY");
    assert_eq!(order.memo.unwrap().reveal(), "よろしく & どうぞ\nおめでとう\n熨斗: 矢風 &amp; 太郎");
    let to = &order.destinations[0];
    assert_eq!(to.desired_date, Some("2018-12-24".parse().unwrap()));
    assert_eq!(to.message.as_ref().unwrap().reveal(), "12:00～14:00");
    assert_eq!(
        (order.group.as_deref(), order.expected_ship_date),
        (Some("m-1"), Some("2018-12-20".parse().unwrap()))
    );
}

#[test]
fn a_coupon_that_was_taken_back_is_no_discount() {
    let order = order_with(&[("OriginalPrice", "0"), ("UnitPrice", "100")]);
    assert_eq!(
        (order.lines[0].unit_price.unwrap().to_string(), order.lines[0].discount),
        ("100 JPY".into(), None)
    );
}

#[test]
fn status_table() {
    use OrderStatus as S;
    let table: &[(Fields, S)] = &[
        (&[("OrderStatus", "4"), ("CancelReason", "110"), ("ShipStatus", "3")], S::Returned),
        (&[("OrderStatus", "4"), ("CancelReason", "210")], S::Cancelled),
        (&[("OrderStatus", "4"), ("ShipStatus", "3"), ("CancelReason", "300")], S::Cancelled),
        (&[("ShipStatus", "4")], S::Delivered),
        (&[("OrderStatus", "5"), ("ShipStatus", "4")], S::Delivered),
        (&[("ShipStatus", "3")], S::Shipped),
        (&[("OrderStatus", "5"), ("ShipStatus", "1")], S::Shipped),
        (&[("IsSplit", "true"), ("ChildOrderId", "a-1,a-2")], S::Cancelled),
        (&[("IsSplit", "true")], S::New),
        (&[("PayType", "1"), ("PayStatus", "0")], S::PendingPayment),
        (&[("PayType", "1"), ("PayStatus", "0"), ("IsSeen", "true")], S::PendingPayment),
        (&[("PayType", "0"), ("PayStatus", "0")], S::New),
        (&[("IsSeen", "false")], S::New),
        (&[("IsSeen", "true")], S::Confirmed),
        (&[("ShipStatus", "2")], S::Confirmed),
        (&[("OrderStatus", "1")], S::New),
        (&[("OrderStatus", "1"), ("IsSeen", "true")], S::Confirmed),
        (&[("OrderStatus", "3")], S::New),
        (&[("OrderStatus", "3"), ("IsSeen", "true")], S::Confirmed),
        (&[("IsReadOnly", "1")], S::PendingPayment),
        (&[("FraudHoldStatus", "1")], S::PendingPayment),
        (&[("FraudHoldStatus", "2")], S::New),
        (&[("FraudHoldStatus", "3")], S::PendingPayment),
        (&[("OrderStatus", "0")], S::Unknown),
        (&[("OrderStatus", "8")], S::Unknown),
        (&[("OrderStatus", "99")], S::Unknown),
        (&[("OrderStatus", "")], S::Unknown),
        (&[("IsSeen", "")], S::Unknown),
    ];
    for (fields, status) in table {
        let order = order_with(fields);
        assert_eq!((order.status, order.lines[0].status), (*status, *status), "{fields:?}");
    }
    let cancelled = order_with(&[("OrderStatus", "4")]);
    assert_eq!((cancelled.lines[0].cancelled, cancelled.lines[0].outstanding()), (1, 0));
    assert_eq!(order_with(&[("ShipStatus", "3")]).lines[0].shipped, 1);
}

#[test]
fn the_published_status_table_is_what_is_read() {
    for mapping in YahooShopping::new(&client(), "shop", &credentials(), Config::live().unwrap())
        .unwrap()
        .info()
        .statuses
        .iter()
    {
        let children = mapping.channel.contains("with children");
        let fields: Vec<(&str, &str)> = mapping
            .channel
            .split(", ")
            .filter_map(|part| part.split_once(' '))
            .filter(|(name, _)| *name != "with")
            .chain(children.then_some(("ChildOrderId", "a-1,a-2")))
            .collect();
        assert_eq!(order_with(&fields).status, mapping.status, "{}", mapping.channel);
    }
}

#[test]
fn hold_table() {
    use Hold as H;
    let table: &[(Fields, &[H])] = &[
        (&[], &[]),
        (&[("IsReadOnly", "1")], &[H::OnHold]),
        (&[("FraudHoldStatus", "1")], &[H::OnHold]),
        (&[("FraudHoldStatus", "3")], &[H::OnHold]),
        (&[("FraudHoldStatus", "2")], &[]),
        (&[("Suspect", "1")], &[H::OnHold]),
        (&[("Suspect", "2")], &[]),
        (&[("ShipStatus", "0"), ("PayStatus", "0")], &[H::PaymentInProcess]),
        (&[("ShipStatus", "0")], &[H::OnHold]),
        (&[("SettleStatus", "8")], &[H::PaymentInProcess]),
        (&[("SettleStatus", "10")], &[H::PaymentInProcess]),
        (&[("SettleStatus", "12")], &[H::PaymentInProcess]),
        (&[("SettleStatus", "5")], &[]),
        (&[("IsLineGiftOrder", "true"), ("IsLineGiftShippable", "false")], &[H::AddressWithheld]),
        (&[("IsLineGiftOrder", "true"), ("IsLineGiftShippable", "true")], &[]),
        (&[("IsFirstClassDrugIncludes", "true")], &[H::OnHold]),
        (&[("IsFirstClassDrugIncludes", "true"), ("IsFirstClassDrugAgreement", "true")], &[]),
        (&[("OrderStatus", "1")], &[H::OnHold]),
        (&[("OrderStatus", "3"), ("Suspect", "1")], &[H::OnHold]),
        (&[("OrderStatus", "8")], &[H::OnHold]),
        (&[("IsSplit", "true")], &[H::ChangePending]),
        (&[("ShipInstructType", "102")], &[H::OnHold]),
        // Cash on delivery is shipped unpaid.
        (&[("PayStatus", "0"), ("PayType", "0")], &[]),
        // What is over is not held.
        (&[("ShipStatus", "3"), ("Suspect", "1")], &[]),
        (&[("IsSplit", "true"), ("ChildOrderId", "a-1,a-2")], &[]),
    ];
    for (fields, holds) in table {
        assert_eq!(order_with(fields).holds, *holds, "{fields:?}");
    }
}

#[test]
fn an_order_that_cannot_be_read_keeps_its_text_and_says_why() {
    let bad: &[(Fields, &str)] = &[
        (&[("OrderTime", "soon")], "the time of the order can't be read"),
        (&[("Quantity", "two")], "the quantity of a line can't be read"),
        (&[("Quantity", "")], "the quantity of a line can't be read"),
        (&[("Quantity", "-1")], "the quantity of a line can't be read"),
        (&[("Quantity", "1.5")], "the quantity of a line can't be read"),
        (&[("LineId", "")], "a line has no number"),
        (&[("ItemId", "")], "a line has no item code"),
        (&[("ItemId", "a\u{FFFD}")], "an item code has broken characters"),
        (&[("ShipAddress1", "a\u{FFFD}")], "name or address have broken characters"),
        (&[("OrderId", "")], "the order id is missing"),
    ];
    for (fields, why) in bad {
        let body = changed(fields);
        let Got::Unreadable(row) = info_result(body.as_bytes(), "testseller-10005002", read_at()).unwrap()
        else {
            panic!("{fields:?} is read")
        };
        assert_eq!(
            (row.reason.as_str(), row.id.as_ref().map(OrderId::as_str)),
            (*why, Some("testseller-10005002"))
        );
        assert!(body.contains(row.raw.reveal()) && row.raw.reveal().starts_with("<OrderInfo>"));
    }
    let no_lines = ORDER.replace("<Item>", "<Other>").replace("</Item>", "</Other>");
    let Row::Unreadable(row) = parse_order(no_lines.as_bytes(), read_at()).unwrap() else { panic!() };
    assert_eq!(row.reason, "the order has no lines");
}

#[test]
fn a_missing_address_and_missing_groups_are_no_failure() {
    let bare = "<ResultSet><Result><Status>OK</Status><OrderInfo><OrderId>a-1</OrderId><OrderTime>20261120091233</OrderTime>\
        <OrderStatus>2</OrderStatus><IsSeen>false</IsSeen><Item><LineId>1</LineId><ItemId>x</ItemId><Quantity>3</Quantity></Item>\
        </OrderInfo></Result></ResultSet>";
    let order = read(bare, "a-1").order;
    assert!(order.destinations[0].recipient.reveal().address.is_empty());
    assert_eq!(order.updated_at, read_at(), "without a time of its own, the time at which the read was sent");
    assert_eq!(order.ordered_at, at("2026-11-20T09:12:33+09:00"));
    assert_eq!((order.totals.total, order.lines[0].unit_price), (None, None));
}

#[test]
fn an_answer_without_this_order_is_no_answer() {
    let empty = "<ResultSet><Result><Status>OK</Status><OrderInfo /></Result></ResultSet>";
    for (body, why) in [
        (empty, "the answer holds no order"),
        (UPDATE_OK, "the answer holds no order"),
        (ORDER, "the answer is about another order"),
        ("<ResultSet><Result>", "the answer is no whole XML"),
    ] {
        let error = info_result(body.as_bytes(), "a-1", read_at()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::MalformedResponse, Some(why)));
    }
}

#[test]
fn when_an_order_became_the_sellers() {
    let taken = |fields: &[(&str, &str)]| read_sample(&changed(fields)).taken;
    let (ordered, paid) = (at("2018-12-11T20:14:00+09:00"), at("2019-01-18T17:54:12+09:00"));
    assert_eq!(taken(&[("PayType", "0")]), Some(ordered));
    assert_eq!(taken(&[("PayType", "1")]), Some(paid));
    let published = ("PublicationTime", "2018-12-12T08:00:00+09:00");
    assert_eq!(taken(&[("PayType", "0"), published]), Some(at("2018-12-12T08:00:00+09:00")));
    for unknown in [
        &[("PayType", "1"), ("PayStatus", "0")][..],
        &[("FraudHoldStatus", "2")],
        &[("ParentOrderId", "a-0")],
        &[("IsSplit", "true")],
        &[("IsReadOnly", "1")],
    ] {
        assert_eq!(taken(unknown), None, "{unknown:?}");
    }
}

#[test]
fn numbers_count_as_reported_only_once_the_order_is_shipped() {
    let noted = [("ShipInvoiceNumber1", "1234-5678-9012"), ("ShipCompanyCode", "1001")];
    assert!(order_with(&noted).tracking.is_empty());
    let shipped = order_with(&[noted[0], noted[1], ("ShipStatus", "3")]);
    assert_eq!(shipped.tracking, [Tracking::new("ヤマト運輸", "1234-5678-9012")]);
    let old = order_with(&[("ShipInvoiceNumber2", "9"), ("ShipCompanyCode", "104"), ("ShipStatus", "4")]);
    assert_eq!(old.tracking, [Tracking::new("佐川急便", "9")]);
}

#[test]
fn times_are_read_in_all_forms() {
    for text in [
        "2018-12-11T20:14:00+09:00",
        "2018-12-11T20:14:00",
        "20181211201400",
        "2018-12-11 20:14:00",
        " 2018-12-11T11:14:00Z ",
    ] {
        assert_eq!(time(text), Some(at("2018-12-11T20:14:00+09:00")), "{text}");
    }
    assert_eq!(time("2018-12-11"), Some(at("2018-12-11T00:00:00+09:00")));
    assert_eq!(day("20181211"), Some("2018-12-11".parse().unwrap()));
    assert_eq!(day("2018-12-10T16:00:00Z"), Some("2018-12-11".parse().unwrap()));
    for text in ["", "soon", "0000-00-00", "2018-13-01"] {
        assert_eq!((time(text), day(text)), (None, None), "{text}");
    }
    assert_eq!(stamp(at("2026-10-01T09:00:01+09:00").timestamp()), "20261001090001");
}

#[test]
fn bodies_are_read_in_the_encoding_that_they_declare() {
    let text = "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><a>注文</a>";
    let (bytes, _, _) = encoding_rs::SHIFT_JIS.encode(text);
    assert_eq!(decoded(&bytes), text);
    let (bytes, _, _) = encoding_rs::EUC_JP.encode("<?xml version='1.0' encoding='EUC-JP' ?><a>注文</a>");
    assert!(decoded(&bytes).contains("注文"));
    assert_eq!(
        decoded("\u{FEFF}<?xml version=\"1.0\"?><a>注文🌿</a>".as_bytes()),
        "<?xml version=\"1.0\"?><a>注文🌿</a>"
    );
    assert!(decoded(b"<a>\xff</a>").contains('\u{FFFD}'));
    assert_eq!(decoded(b""), "");
}

#[test]
fn written_texts_are_escaped_and_can_be_read_back() {
    let xml = Req::new().group("A", |a| a.text("B", "<&>\"' あ🌿\u{0}\u{b}")).end();
    let root = Element::parse(&xml).unwrap();
    assert_eq!(root.all("A").next().unwrap().field("B"), "<&>\"' あ🌿");
}

#[test]
fn requests_are_those_of_the_samples() {
    assert_eq!(
        xml_of(&seen_ask("testseller", "testseller-10000001")),
        sample_file("order_change_seen.request.xml")
    );
    let info = xml_of(&info_ask("testseller", "testseller-10005002"));
    let sample = sample_file("order_info.request.xml");
    let frame = |text: &str| {
        let (before, rest) = text.split_once("<Field>").unwrap();
        let (fields, after) = rest.split_once("</Field>").unwrap();
        (before.to_owned(), fields.split(',').map(str::to_owned).collect::<Vec<_>>(), after.to_owned())
    };
    let (ours, theirs) = (frame(&info), frame(&sample));
    assert_eq!((ours.0, ours.2), (theirs.0, theirs.2));
    for field in theirs.1 {
        assert!(ours.1.contains(&field), "{field} is not asked for");
    }
    let order = order_with_id("testseller-10000001", &[]);
    assert_eq!(order.id.as_str(), "testseller-10000001");
    let decision = CancelDecision {
        order: &order,
        action: CancelAction::CancelBySeller,
        reason: CancelReason::OutOfStock,
        memo: None,
    };
    let operator = "<OperationUser>矢風太郎</OperationUser>";
    let sample = sample_file("order_status_change_cancel.request.xml").replace(operator, "");
    assert_eq!(xml_of(&cancel_ask("testseller", &decision)), sample);
}

fn order_with_id(id: &str, fields: &[(&str, &str)]) -> Order {
    let mut fields = fields.to_vec();
    fields.push(("OrderId", id));
    read(&changed(&fields), id).order
}

#[test]
fn a_parcel_is_the_sample_without_what_is_not_ours_to_say() {
    let order = order_with_id("testseller-10000001", &[]);
    let tracking = Tracking::new("Yamato", "123-4567-8901");
    let request = DispatchRequest::new(&order, Some(&tracking), at("2014-09-20T23:30:00+09:00"));
    let Plan::Send(parcel) = plan(&request, &order) else { panic!("{:?}", plan(&request, &order)) };
    let sent = xml_of(&ship_ask("testseller", "testseller-10000001", &parcel, at("2014-09-20T15:30:00Z")));
    let mut sample = sample_file("order_ship_status_change.request.xml");
    for gone in ["OperationUser", "ShipMethod", "ShipNotes", "ShipInvoiceNumber2", "ShipUrl", "ArrivalDate"] {
        let (open, close) = (format!("<{gone}>"), format!("</{gone}>"));
        let (from, to) = (sample.find(&open).unwrap(), sample.find(&close).unwrap() + close.len());
        sample.replace_range(from..to, "");
    }
    let sample = sample.replace("123-456789-012345", "123-4567-8901");
    assert_eq!(sent, sample, "half past midnight in Japan is the next day");
}

#[test]
fn a_list_asks_for_hidden_orders_too_and_begins_two_weeks_early() {
    let window = Window::new(at("2026-10-01T00:00:00+09:00"), at("2026-10-01T23:59:59.5+09:00"));
    let span = Span::of(window);
    let first = Page { from: None, start: 1, known: vec![] };
    let xml = |search, page: &Page| xml_of(&list_ask("teststore", search, span, page, 2000));
    let frame = |condition: &str, start: usize| {
        format!(
            "<Req><Search><Result>2000</Result><Start>{start}</Start><Sort>+order_time</Sort><Condition>{condition}\
             <ReadOnlyMode>2</ReadOnlyMode><FraudHoldDisplayType>1</FraudHoldDisplayType></Condition>\
             <Field>OrderId,ParentOrderId,OrderTime,LastUpdateTime,OrderStatus,IsSplit,PayStatus,PayType,PayDate,ShipStatus,FraudHoldStatus,PublicationTime</Field>\
             </Search><SellerId>teststore</SellerId></Req>"
        )
    };
    assert_eq!(
        xml(Search::Made, &first),
        frame("<OrderTimeFrom>20260917000000</OrderTimeFrom><OrderTimeTo>20261002000000</OrderTimeTo>", 1)
    );
    assert_eq!(
        xml(Search::Published, &first),
        frame(
            "<PublicationTimeFrom>20261001000000</PublicationTimeFrom><PublicationTimeTo>20261002000000</PublicationTimeTo>",
            1
        )
    );
    assert_eq!(
        xml(Search::OldOpen, &first),
        frame(
            "<OrderTimeTo>20260917000000</OrderTimeTo><OrderStatus>1,2,3</OrderStatus><ShipStatus>0,1,2</ShipStatus>",
            1
        )
    );
    let later = Page { from: Some(at("2026-09-20T10:00:00+09:00").timestamp()), start: 2001, known: vec![] };
    assert!(xml(Search::Made, &later).contains("<Start>2001</Start>"));
    assert!(xml(Search::Made, &later).contains("<OrderTimeFrom>20260920100000</OrderTimeFrom>"));
    let sample = sample_file("order_list.request.xml");
    for part in
        ["<Result>2000</Result><Start>1</Start><Sort>+order_time</Sort>", "<OrderStatus>1,2,3</OrderStatus>"]
    {
        assert!(sample.contains(part) && xml(Search::OldOpen, &first).contains(part), "{part}");
    }
}

fn october() -> Span {
    Span::of(Window::new(at("2026-10-01T09:00:00+09:00"), at("2026-10-01T10:00:00+09:00")))
}

fn listed(body: &str) -> Listed {
    list_result(body.as_bytes(), Search::Made, october()).unwrap()
}

#[test]
fn sample_lists_are_read() {
    let list = listed(LIST);
    let ids: Vec<&str> = list.heads.iter().map(|head| head.id.as_str()).collect();
    assert_eq!((ids, list.total), (vec!["testseller-10000001", "testseller-10000002"], 2));
    assert!(list.heads.iter().all(|head| head.wanted));
    // The official sample was cut to other fields: what can't be told is read.
    let official = listed(LIST_OFFICIAL);
    assert_eq!((official.heads.len(), official.total), (2, 10_000));
    assert!(official.heads.iter().all(|head| head.wanted && head.ordered.is_none()));
    assert_eq!(listed(LIST_EMPTY), Listed { heads: vec![], total: 0 });
    assert_eq!(listed(LIST_PAST_END), Listed { heads: vec![], total: 10 });
}

#[test]
fn a_list_with_a_hole_is_no_list() {
    for body in [
        "<Result><Status>OK</Status></Result>",
        "<Result><Status>OK</Status><Search><OrderInfo><OrderId>a</OrderId></OrderInfo></Search></Result>",
        "<Result><Status>OK</Status><Search><TotalCount>x</TotalCount></Search></Result>",
        "<Result><Status>OK</Status><Search><TotalCount>1</TotalCount><OrderInfo><OrderId></OrderId><OrderTime>x</OrderTime></OrderInfo></Search></Result>",
        "<Result><Status>OK</Status><Search><TotalCount>1</TotalCount>",
    ] {
        let error = list_result(body.as_bytes(), Search::Made, october()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{body}");
    }
}

fn wanted(search: Search, fields: &[(&str, &str)]) -> bool {
    let mut all = vec![
        ("OrderTime", "2026-09-29T10:00:00+09:00"),
        ("LastUpdateTime", "2026-10-01T09:30:00+09:00"),
        ("OrderStatus", "2"),
        ("ShipStatus", "1"),
        ("PayType", "1"),
        ("PayStatus", "1"),
        ("IsSplit", "false"),
    ];
    for (name, value) in fields {
        all.retain(|(known, _)| known != name);
        all.push((*name, *value));
    }
    let fields: String = all.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    let body = format!(
        "<Result><Status>OK</Status><Search><TotalCount>1</TotalCount><OrderInfo><OrderId>a-1</OrderId>{fields}</OrderInfo></Search></Result>"
    );
    list_result(body.as_bytes(), search, october()).unwrap().heads[0].wanted
}

#[test]
fn which_orders_of_a_list_are_read() {
    let made = |fields: &[(&str, &str)]| wanted(Search::Made, fields);
    let untouched = ("LastUpdateTime", "2026-09-29T10:05:00+09:00");
    assert!(made(&[]), "paid, nobody knows when");
    assert!(!made(&[untouched]), "nothing happened to it since the window began");
    assert!(made(&[("OrderTime", "2026-10-01T09:00:00+09:00"), untouched]), "made in the window");
    assert!(
        made(&[("OrderTime", "2026-10-01T08:41:00+09:00"), untouched]),
        "hidden in its first ten minutes"
    );
    assert!(!made(&[("OrderTime", "2026-10-01T08:39:59+09:00"), untouched]));
    assert!(
        made(&[("LastUpdateTime", "")]) && made(&[("OrderTime", "x"), untouched]),
        "what can't be told is read"
    );
    assert!(made(&[("PayDate", "2026-10-01")]) && made(&[("PayDate", "2026-09-30"), ("PayStatus", "0")]));
    assert!(!made(&[("PayDate", "2026-09-30")]), "paid the day before");
    assert!(!made(&[("PayType", "0")]), "cash on delivery is the seller's from the beginning");
    assert!(made(&[("PayType", "0"), ("FraudHoldStatus", "2")]), "it was held back");
    assert!(made(&[("PayType", "0"), ("PublicationTime", "2026-10-01T09:10:00+09:00"), untouched]));
    assert!(
        made(&[("PayType", "0"), ("ParentOrderId", "a-0")]) && made(&[("PayType", "0"), ("IsSplit", "true")])
    );
    for over in [("OrderStatus", "4"), ("OrderStatus", "5"), ("ShipStatus", "3"), ("ShipStatus", "4")] {
        assert!(!made(&[over]), "{over:?}");
        assert!(made(&[over, ("IsSplit", "true")]), "its children are new orders");
    }
    assert!(made(&[("OrderStatus", "8")]), "an unknown status hides nothing");
}

#[test]
fn each_order_is_left_to_one_search() {
    let old = ("OrderTime", "2026-09-01T10:00:00+09:00");
    let published = ("PublicationTime", "2026-10-01T09:10:00+09:00");
    assert!(wanted(Search::Published, &[old, published]) && !wanted(Search::Published, &[published]));
    assert!(wanted(Search::OldOpen, &[old]) && !wanted(Search::OldOpen, &[old, published]));
    assert!(!wanted(Search::OldOpen, &[]));
}

fn heads(times: &[Option<i64>]) -> Vec<Head> {
    let head = |(n, at): (usize, &Option<i64>)| Head { id: format!("a-{n}"), ordered: *at, wanted: true };
    times.iter().enumerate().map(head).collect()
}

#[test]
fn a_full_page_goes_on_at_the_time_of_its_last_order() {
    let first = Page { from: None, start: 1, known: vec![] };
    let listed = |times: &[Option<i64>], total| Listed { heads: heads(times), total };
    let next = |page: &Page, listed: &Listed| next_page(page, listed, 3).unwrap();
    assert_eq!(next(&first, &listed(&[Some(1), Some(2)], 2)), None);
    let page = next(&first, &listed(&[Some(1), Some(2), Some(2)], 9)).unwrap();
    assert_eq!(page, Page { from: Some(2), start: 1, known: vec!["a-1".into(), "a-2".into()] });
    // Fewer than were asked for, and more are counted: the channel gives shorter pages.
    assert_eq!(next(&first, &listed(&[Some(1), Some(5)], 3)).unwrap().from, Some(5));
    // All in one second, or times that can't be sorted by: rows are counted.
    let same = next(&page, &listed(&[Some(2), Some(2), Some(2)], 9)).unwrap();
    assert_eq!(same, Page { from: Some(2), start: 4, known: vec![] });
    for times in [[Some(3), Some(1), Some(2)], [Some(1), None, Some(2)]] {
        assert_eq!(next(&first, &listed(&times, 9)), Some(Page { from: None, start: 4, known: vec![] }));
    }
    // A full page that counts no more may have been counted before the last came.
    assert!(next(&first, &listed(&[Some(1), Some(2), Some(3)], 3)).is_some());
    assert_eq!(next(&same, &listed(&[], 9)), None, "past the end");
    assert_eq!(next_page(&first, &listed(&[], 9), 3).unwrap_err().kind(), ErrorKind::MalformedResponse);
}

#[test]
fn a_cursor_that_is_not_ours_is_an_error() {
    let window = Window::new(at("2026-10-01T09:00:00+09:00"), at("2026-10-01T10:00:00+09:00"));
    let place = Place::begin(window, None).unwrap().unwrap();
    let ours = place.clone().cursor().unwrap().unwrap();
    assert_eq!(Place::begin(window, Some(&ours)).unwrap(), Some(place));
    for text in [
        "",
        "7",
        "[]",
        "{}",
        "null",
        "{\"search\":3,\"page\":null,\"rest\":[]}",
        "{\"search\":0,\"page\":null}",
        "{\"search\":0,\"page\":{\"from\":1,\"start\":1,\"known\":[]},\"rest\":[]}",
        "{\"search\":0,\"page\":{\"from\":null,\"start\":0,\"known\":[]},\"rest\":[]}",
        "{\"search\":-1,\"page\":null,\"rest\":[]}",
    ] {
        let error = Place::begin(window, Some(&PageCursor::new(text))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{text}");
    }
    let empty = Window::new(window.from, window.from);
    assert_eq!(Place::begin(empty, None).unwrap(), None);
    assert_eq!(requests(Some(&ours)).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(requests(None).unwrap().next.is_none());
}

#[test]
fn error_table() {
    use {ErrorKind as K, Method as M, Retry as R};
    let none = Effect::None;
    let lost = Effect::Unknown;
    let table = [
        // Status, code, text, kind and so on: of a read, then of a write.
        (
            401,
            "",
            "Bearer error=\"invalid_token\"",
            (K::CredentialExpired, R::Never, none),
            (K::CredentialExpired, R::Never, none),
        ),
        (
            401,
            "",
            "error=\"insufficient_scope\"",
            (K::Forbidden, R::Never, none),
            (K::Forbidden, R::Never, none),
        ),
        (401, "", "", (K::Unauthorized, R::Never, none), (K::Unauthorized, R::Never, none)),
        (401, "px-09999", "", (K::Unauthorized, R::Never, none), (K::Unauthorized, R::Never, none)),
        (401, "px-04102", "", (K::CredentialExpired, R::Never, none), (K::CredentialExpired, R::Never, none)),
        (400, "px-04102", "", (K::CredentialExpired, R::Never, none), (K::CredentialExpired, R::Never, none)),
        (403, "px-04303", "", (K::Forbidden, R::Never, none), (K::Forbidden, R::Never, none)),
        (403, "px-04306", "", (K::Forbidden, R::Never, none), (K::Forbidden, R::Never, none)),
        (403, "px-04307", "", (K::CredentialExpired, R::Never, none), (K::CredentialExpired, R::Never, none)),
        (403, "px-14303", "", (K::Forbidden, R::Never, none), (K::Forbidden, R::Never, none)),
        (403, "px-14304", "", (K::Forbidden, R::Never, none), (K::Forbidden, R::Never, none)),
        (
            403,
            "",
            "Your Request was Forbidden",
            (K::RateLimited, R::Later, none),
            (K::RateLimited, R::Later, none),
        ),
        (403, "", "", (K::Forbidden, R::Never, none), (K::Forbidden, R::Never, none)),
        (400, "px-04001", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (404, "px-04400", "", (K::Configuration, R::Never, none), (K::Configuration, R::Never, none)),
        (400, "od90101", "", (K::InvalidInput, R::Never, none), (K::Refused, R::Never, none)),
        (400, "od90137", "", (K::InvalidInput, R::Never, none), (K::Refused, R::Never, none)),
        (404, "od91801", "", (K::NotFound, R::Never, none), (K::NotFound, R::Never, none)),
        (400, "od91801", "", (K::NotFound, R::Never, none), (K::NotFound, R::Never, none)),
        (500, "od91001", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (500, "od91133", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (400, "od90207", "", (K::Unavailable, R::Later, none), (K::Refused, R::Never, none)),
        (500, "od90207", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (400, "st-02100", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (400, "st-02101", "", (K::InvalidInput, R::Never, none), (K::Refused, R::Never, none)),
        (400, "st-02102", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (400, "st-02103", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (400, "st-02104", "", (K::InvalidInput, R::Never, none), (K::Refused, R::Never, none)),
        (400, "st-02105", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (400, "st-02106", "", (K::InvalidInput, R::Never, none), (K::Refused, R::Never, none)),
        (400, "st-02107", "", (K::InvalidInput, R::Never, none), (K::InvalidInput, R::Never, none)),
        (503, "st-02000", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (500, "st-02999", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (500, "ed-00001", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (400, "ed-00003", "", (K::Unauthorized, R::Never, none), (K::Unauthorized, R::Never, none)),
        (400, "ed-00004", "", (K::Unauthorized, R::Never, none), (K::Unauthorized, R::Never, none)),
        (400, "ed-00005", "", (K::Unauthorized, R::Never, none), (K::Unauthorized, R::Never, none)),
        (400, "", "", (K::Unavailable, R::Later, none), (K::Refused, R::Never, none)),
        (404, "", "", (K::Configuration, R::Never, none), (K::Configuration, R::Never, none)),
        (405, "", "", (K::Configuration, R::Never, none), (K::Configuration, R::Never, none)),
        (408, "", "", (K::TimedOut, R::Later, none), (K::TimedOut, R::Later, lost)),
        (409, "", "", (K::Unavailable, R::Later, none), (K::Refused, R::Never, none)),
        (429, "", "", (K::RateLimited, R::Later, none), (K::RateLimited, R::Later, none)),
        (500, "", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (502, "", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
        (504, "", "", (K::Unavailable, R::Later, none), (K::Unavailable, R::Later, lost)),
    ];
    for (status, code, text, read, write) in table {
        let of = |method| {
            let verdict = verdict(method, status, code, text);
            (verdict.kind, verdict.retry, verdict.effect)
        };
        assert_eq!((of(M::OrderInfo), of(M::GetStock)), (read, read), "{status} {code} {text}, a read");
        assert_eq!(
            (of(M::OrderShipStatusChange), of(M::SetStock)),
            (write, write),
            "{status} {code} {text}, a write"
        );
    }
}

#[test]
fn a_failure_inside_a_success_is_never_a_success() {
    use Method as M;
    let judged = |method, body: &str| {
        judge_body(method, body.as_bytes())
            .map_err(|error| (error.kind(), error.code().unwrap_or_default().to_owned()))
    };
    assert_eq!(judged(M::OrderList, LIST), Ok(()));
    assert_eq!(judged(M::OrderList, LIST_OFFICIAL), Ok(()));
    assert_eq!(judged(M::OrderInfo, ORDER), Ok(()));
    assert_eq!(judged(M::OrderChange, UPDATE_OK), Ok(()));
    assert_eq!(judged(M::OrderStatusChange, UPDATE_WARNING), Ok(()));
    assert_eq!(judged(M::OrderStatusChange, SPLIT), Ok(()));
    for (method, body) in [
        (M::GetStock, GET_STOCK),
        (M::SetStock, SET_STOCK),
        (M::SetStock, SET_STOCK_207),
        (M::ItemList, ITEMS),
        (M::Item, ITEM),
    ] {
        assert_eq!(judged(method, body), Ok(()));
    }
    let malformed = || Err((ErrorKind::MalformedResponse, String::new()));
    for body in [
        "",
        "{}",
        "<html><body><h1>Bad Gateway</h1></body></html>",
        "<Result><Status>OK</Status>",
        "<Other><Status>OK</Status></Other>",
    ] {
        for method in [M::OrderList, M::OrderInfo, M::OrderChange, M::SetStock, M::Item] {
            assert_eq!(judged(method, body), malformed(), "{body}");
        }
    }
    assert_eq!(
        judged(M::OrderList, "<Result><Search><TotalCount>0</TotalCount></Search></Result>"),
        malformed()
    );
    assert_eq!(judged(M::OrderInfo, "<ResultSet></ResultSet>"), malformed());
    assert_eq!(
        judged(M::OrderChange, &UPDATE_OK.replace("ng=\"0\"", "ng=\"1\"")),
        malformed(),
        "it contradicts itself"
    );
    let refused = |code: &str| Err((ErrorKind::Refused, code.to_owned()));
    assert_eq!(judged(M::OrderChange, ERROR_PARAMETER), refused("od90101"));
    assert_eq!(judged(M::OrderChange, &UPDATE_OK.replace("OK", "NG")), refused(""));
    let inside = "<ResultSet ng=\"1\"><Result><Status>NG</Status><Error><Code>od90166</Code><Message>x</Message></Error></Result></ResultSet>";
    assert_eq!(judged(M::OrderShipStatusChange, inside), refused("od90166"));
    let list = "<Result><Status>NG</Status><Error><Code>od91801</Code><Message>x</Message></Error></Result>";
    assert_eq!(judged(M::OrderList, list), Err((ErrorKind::NotFound, "od91801".into())));
    // A read that says no without a reason that is known never counts as "no such order".
    let bare = "<ResultSet><Result><Status>NG</Status></Result></ResultSet>";
    assert_eq!(judged(M::OrderInfo, bare), Err((ErrorKind::Unavailable, String::new())));
    assert_eq!(judged(M::OrderInfo, ERROR_SESSION), Err((ErrorKind::CredentialExpired, "px-04102".into())));
    let token = Element::parse(ERROR_TOKEN).unwrap();
    let token = told(&token).unwrap();
    assert_eq!(token.code, "");
    assert!(token.message.contains("error=\"invalid_token\""));
}

#[test]
fn warnings_are_read() {
    let codes = |body: &str| -> Vec<String> {
        warnings(body.as_bytes()).unwrap().into_iter().map(|warning| warning.code).collect()
    };
    assert_eq!(codes(UPDATE_WARNING), ["od91113"]);
    assert!(codes(UPDATE_OK).is_empty());
    let word =
        |code: &str| match cancel_result(UPDATE_WARNING.replace("od91113", code).as_bytes(), &"a-1".into())
            .unwrap()
        {
            Outcome::Done(()) => "done",
            Outcome::AlreadyDone => "already",
            Outcome::Unknown(_) => "unknown",
            _ => "?",
        };
    let words = ["od91113", "od91115", "od91123", "od91130", "od91704", "od91705"].map(word);
    assert_eq!(words, ["done", "done", "done", "done", "unknown", "already"]);
}

#[test]
fn a_used_up_day_waits_until_midnight_in_japan_and_no_longer_than_three_hours() {
    assert_eq!(until_tomorrow(at("2026-11-24T23:30:00+09:00")).as_secs(), 1800);
    assert_eq!(until_tomorrow(at("2026-11-24T10:00:00+09:00")).as_secs(), 3 * 3600);
}

#[test]
fn what_keeps_a_parcel_from_being_reported() {
    let tracking = Tracking::new("Yamato", "4400-0000-0001");
    let said = |fields: &[(&str, &str)]| {
        let order = order_with(fields);
        match plan(&DispatchRequest::new(&order, Some(&tracking), read_at()), &order) {
            Plan::Already => "already".to_owned(),
            Plan::Send(parcel) => format!("{parcel:?}"),
            Plan::Refused(no) => format!("{}{}", if no.temporary { "later: " } else { "" }, no.message),
        }
    };
    let sent = said(&[]);
    assert!(
        sent.contains("1001") && sent.contains("4400-0000-0001") && sent.contains("ShipInvoiceNumber1"),
        "{sent}"
    );
    let table: &[(Fields, &str)] = &[
        (&[("ShipStatus", "3"), ("ShipInvoiceNumber1", "440000000001")], "already"),
        (&[("ShipStatus", "4"), ("ShipInvoiceNumber2", "4400-0000-0001")], "already"),
        (
            &[("ShipStatus", "3"), ("ShipInvoiceNumber1", "9")],
            "the order is shipped already, with another number or none",
        ),
        (&[("ShipStatus", "3")], "the order is shipped already, with another number or none"),
        (&[("OrderStatus", "4")], "the order is cancelled, returned or split"),
        (&[("IsSplit", "true"), ("ChildOrderId", "a,b")], "the order is cancelled, returned or split"),
        (&[("IsSplit", "true")], "later: it was split into two other orders: those are shipped"),
        (
            &[("IsReadOnly", "1")],
            "later: the buyer can still cancel it: it can be changed 10 minutes after it was ordered",
        ),
        (
            &[("FraudHoldStatus", "1")],
            "later: the channel holds it for a fraud check: only a cancellation is possible",
        ),
        (&[("ShipStatus", "0")], "later: the channel has not released it for shipping yet"),
        (&[("PayType", "1"), ("PayStatus", "0")], "later: the order is not paid yet"),
        (&[("SettleStatus", "8")], "later: the channel holds the order (payment in process)"),
        (&[("OrderStatus", "3")], "later: the channel holds the order (on hold)"),
        (&[("OrderStatus", "8")], "later: the order is in a state that is not known"),
        (&[("ShipInstructType", "101")], "later: Yamato fulfils it for the store"),
        (
            &[("ShipInvoiceNumberEmptyReason", "105")],
            "the order says that it has no tracking number, and such a reason excludes one: take it away in the back office",
        ),
        (
            &[("ShipInvoiceNumber1", "1"), ("ShipInvoiceNumber2", "2")],
            "the order has two tracking numbers already, the most that the channel takes",
        ),
    ];
    for (fields, words) in table {
        assert_eq!(said(fields), *words, "{fields:?}");
    }
    assert!(
        said(&[("ShipInvoiceNumber1", "4400-0000-0001")]).contains("ShipInvoiceNumber1"),
        "noted, not shipped"
    );
    assert!(
        said(&[("ShipInvoiceNumber1", "77")]).contains("ShipInvoiceNumber2"),
        "a number noted by hand stays"
    );
}

#[test]
fn which_tracking_numbers_can_be_sent() {
    let order = order_with(&[]);
    let sent = |carrier: &str, number: &str| {
        let tracking = Tracking::new(carrier, number);
        match plan(&DispatchRequest::new(&order, Some(&tracking), read_at()), &order) {
            Plan::Send(parcel) => Some(xml_of(&ship_ask("s", "o", &parcel, read_at()))),
            _ => None,
        }
        .and_then(|xml| {
            let field =
                |name: &str| Some(xml.split_once(&format!("<{name}>"))?.1.split('<').next()?.to_owned());
            Some(format!("{} {}", field("ShipCompanyCode")?, field("ShipInvoiceNumber1")?))
        })
    };
    assert_eq!(sent("ヤマト運輸", " 1234-5678-9012 ").as_deref(), Some("1001 1234-5678-9012"));
    assert_eq!(sent("Sagawa Express", "ABC-1").as_deref(), Some("1002 ABC-1"));
    assert_eq!(sent("Japan Post", "1234-5678-901").as_deref(), Some("1003 12345678901"));
    assert_eq!(sent("日本郵便", "EN123456789JP").as_deref(), Some("1003 EN123456789JP"));
    assert_eq!(sent("1016", "5").as_deref(), Some("1016 5"));
    assert_eq!(sent("Nobody's", "5").as_deref(), Some("1000 5"));
    for (carrier, number) in [
        ("Yamato", "12345678901234567"),
        ("Yamato", "A2345"),
        ("Japan Post", "12345"),
        ("Sagawa", ""),
        ("Sagawa", "--"),
        ("Sagawa", "1/2"),
        ("Sagawa", "１２３"),
        ("Sagawa", "1234567890123456789012345678901"),
    ] {
        assert_eq!(sent(carrier, number), None, "{carrier} {number}");
    }
    let tracking = Tracking::new("Sagawa", "1");
    let some = [(LineId::from("1"), 0)];
    let mut part = DispatchRequest::new(&order, Some(&tracking), read_at());
    part.lines = &some;
    assert!(matches!(plan(&part, &order), Plan::Refused(_)), "a part of the pieces");
    assert!(matches!(plan(&DispatchRequest::new(&order, None, read_at()), &order), Plan::Refused(_)));
}

#[test]
fn which_cancellations_can_be_sent() {
    let order = order_with(&[]);
    let decision = |action, reason, memo| CancelDecision { order: &order, action, reason, memo };
    use {CancelAction as A, CancelReason as R};
    for action in [A::Accept, A::Refuse] {
        assert!(objection(&decision(action, R::OutOfStock, None)).is_some());
    }
    let reasons = [
        (R::BuyerRequest, "100"),
        (R::OutOfStock, "210"),
        (R::OrderChanged, "180"),
        (R::CannotDeliver, "130"),
    ];
    for (reason, code) in reasons {
        let decision = decision(A::CancelBySeller, reason, Some("a word that has no place"));
        assert!(objection(&decision).is_none());
        let xml = xml_of(&cancel_ask("s", &decision));
        assert!(xml.contains(&format!("<CancelReason>{code}</CancelReason></Order>")), "{xml}");
    }
    for memo in [None, Some("too short"), Some("         x         ")] {
        assert!(objection(&decision(A::CancelBySeller, R::Delay, memo)).is_some(), "{memo:?}");
    }
    let delay = decision(A::CancelBySeller, R::Delay, Some("入荷が遅れ & お届けできません"));
    assert!(objection(&delay).is_none());
    assert!(xml_of(&cancel_ask("s", &delay)).contains(
        "<CancelReason>230</CancelReason><CancelReasonDetail>入荷が遅れ &amp; お届けできません</CancelReasonDetail>"
    ));
    let state = |fields: &[(&str, &str)]| is_cancelled(&order_with(fields)).map_err(|no| no.temporary);
    assert_eq!(state(&[]), Ok(false));
    assert_eq!(state(&[("FraudHoldStatus", "1")]), Ok(false), "a cancellation is what is possible then");
    assert_eq!(state(&[("OrderStatus", "4"), ("IsReadOnly", "1")]), Ok(true));
    assert_eq!(state(&[("IsReadOnly", "1")]), Err(true));
    assert_eq!(state(&[("IsSplit", "true"), ("ChildOrderId", "a,b")]), Err(false));
    assert_eq!(state(&[("ShipStatus", "3")]), Err(false));
    assert_eq!(state(&[("OrderStatus", "5")]), Err(false));
}

#[test]
fn what_later_calls_need_travels_with_the_order() {
    let kept: Kept =
        order_with(&[("IsReadOnly", "1"), ("ShipInvoiceNumber1", "7")]).channel_data.read().unwrap();
    assert_eq!((kept.blocks.as_slice(), kept.numbers[0].as_str()), (&[Block::ReadOnly][..], "7"));
}

#[test]
fn stock_records_are_found_by_code_and_trimmed() {
    let records = read_result(GET_STOCK.as_bytes()).unwrap();
    let record =
        |quantity, overdraft: &str| Record { exists: true, quantity, overdraft: overdraft.to_owned() };
    assert_eq!(records["item-01:sub-01"], record(Some(10), "0"));
    assert!(!records["item-01:sub-02"].exists);
    let row = |fields: &str| {
        let body = format!(
            "<ResultSet><Result><ItemCode>a</ItemCode><SubCode></SubCode>{fields}</Result></ResultSet>"
        );
        read_result(body.as_bytes()).unwrap().remove("a")
    };
    assert_eq!(
        row("<Status>1</Status><Quantity></Quantity><AllowOverdraft>1</AllowOverdraft>"),
        Some(record(None, "1"))
    );
    assert_eq!(
        row("<Status>1</Status><Quantity>-3</Quantity><AllowOverdraft>1</AllowOverdraft>"),
        Some(record(Some(0), "1"))
    );
    assert_eq!(row("<Status>1</Status><Quantity>x</Quantity>"), None);
    assert_eq!(row("<Status>7</Status><Quantity>1</Quantity>"), None);
}

#[test]
fn nothing_is_pushed_that_would_make_or_reset_something() {
    let record =
        |exists, overdraft: &str| Record { exists, quantity: Some(1), overdraft: overdraft.to_owned() };
    assert!(push("a", 5, &record(false, "")).is_err());
    assert!(push("a", 5, &record(true, "")).is_err());
    assert!(push("a", 5, &record(true, "2")).is_err());
    assert!(push("a", 1_000_000_000, &record(true, "0")).is_err());
    let pushes = [
        push("item-01:sub-01", 10, &record(true, "0")).unwrap(),
        push("item-02", 0, &record(true, "1")).unwrap(),
    ];
    let Body::Form(fields) = set_ask("yshop", &pushes.iter().collect::<Vec<_>>()).body else { panic!() };
    let sample = sample_file("set_stock.request.txt");
    let form = crate::http::Request::post_form(
        "https://a.example".parse().unwrap(),
        fields.iter().map(|(n, v)| (*n, v.as_str())),
    );
    assert_eq!(String::from_utf8_lossy(&form.body), format!("{}&allow_overdraft=0%2C1", sample.trim()));
    let Body::Form(fields) = read_ask("yshop", &["a", "b:c"]).body else { panic!() };
    assert_eq!(fields, [("seller_id", "yshop".to_owned()), ("item_code", "a,b:c".to_owned())]);
}

#[test]
fn codes_that_would_name_something_else_are_refused() {
    assert_eq!(code_of(&ListingKey::option("item-01", "sub_01")).unwrap(), "item-01:sub_01");
    assert_eq!(code_of(&ListingKey::item("939124-001")).unwrap(), "939124-001");
    for key in [
        ListingKey::item(""),
        ListingKey::item("a,b"),
        ListingKey::item("a:b"),
        ListingKey::item("あ"),
        ListingKey::option("a", "b,c"),
        ListingKey::option("a", "b:c"),
        ListingKey::item("a".repeat(100)),
    ] {
        assert!(code_of(&key).is_err(), "{key}");
    }
}

#[test]
fn what_was_set_is_told_by_code_and_a_part_that_failed_leaves_the_rest_open() {
    assert_eq!(set_result(SET_STOCK.as_bytes()).unwrap()["item_01:sub_01"], Said::Set(11));
    let part = set_result(SET_STOCK_207.as_bytes()).unwrap();
    assert_eq!(part["item_01:sub_01"], Said::Look);
    assert_eq!(part["item_02:sub_02"], Said::Failed("st-02104".into()));
    assert_eq!(part["item_02:あ"], Said::Failed("st-02101,st-02104".into()));
    let back = SET_STOCK_207.replace("st-02104", "ed-10002");
    assert_eq!(set_result(back.as_bytes()).unwrap()["item_02:sub_02"], Said::Look);
    let empty = SET_STOCK.replace("11", "");
    assert_eq!(set_result(empty.as_bytes()).unwrap()["item_01:sub_01"], Said::Look);
}

#[test]
fn listings_are_read() {
    let (items, total) = items_result(ITEMS.as_bytes()).unwrap();
    let expected = Item {
        code: "939124-001".into(),
        title: "防水CD/DVDプレーヤー/mini labo/ベルメゾンネット".into(),
        shown: true,
        has_options: false,
        quantity: Some(2),
    };
    assert_eq!((items, total), (vec![expected], 220));
    let unlimited = ITEMS.replace("<Quantity>2</Quantity>", "<Quantity></Quantity>");
    assert_eq!(items_result(unlimited.as_bytes()).unwrap().0[0].quantity, None);
    let closed = ITEMS.replace("<Quantity>2</Quantity>", "<Quantity>2</Quantity><StockClose>1</StockClose>");
    assert_eq!(items_result(closed.as_bytes()).unwrap().0[0].quantity, Some(0));
    assert!(items_result(ITEMS.replace("939124-001", "").as_bytes()).is_err());
    assert!(items_result(ITEMS.replace("totalResultsAvailable", "other").as_bytes()).is_err());
    let item = Item {
        code: "sc-sws".into(),
        title: "バリエーション商品".into(),
        shown: false,
        has_options: true,
        quantity: None,
    };
    let listings = item_result(ITEM.as_bytes(), &item).unwrap();
    let told: Vec<_> =
        listings.iter().map(|l| (l.key.to_string(), l.title.as_str(), l.quantity, l.state)).collect();
    assert_eq!(
        told,
        [
            ("sc-sws/sc-sws-vrtest0001".to_owned(), "バリエーション商品 AA BA", None, ListingState::Stopped),
            (
                "sc-sws/sc-sws-vrtest0008".to_owned(),
                "バリエーション商品 AC BB",
                Some(300),
                ListingState::Stopped
            ),
        ]
    );
    assert_eq!(listings[0].sku.as_ref().unwrap().as_str(), "sc-sws-vrtest0001");
    assert!(item_result(ITEM.replace("code=\"sc-sws-vrtest0001\"", "").as_bytes(), &item).is_err());
    let categories =
        "<ResultSet><Result><PageKey>c3</PageKey></Result><Result><PageKey>d4</PageKey></Result></ResultSet>";
    assert_eq!(categories_result(categories.as_bytes()).unwrap(), ["c3", "d4"]);
    assert!(categories_result(categories.replace("c3", "").as_bytes()).is_err());
}

fn client() -> HttpClient {
    HttpClient::new(crate::http::HttpSettings::default()).unwrap()
}

fn credentials() -> Credentials {
    Credentials::new()
        .with(SELLER_ID, "teststore")
        .with(CLIENT_ID, "dj00aiZpPQ")
        .with(CLIENT_SECRET, "a-secret-of-the-application")
        .with(REFRESH_TOKEN, "a-refresh-token")
        .with(PUBLIC_KEY, KEY)
        .with(PUBLIC_KEY_VERSION, "3")
}

#[test]
fn a_signature_is_store_and_time_sealed_with_the_key() {
    use base64::Engine as _;
    let private = rsa::PrivateKey::from_pkcs8_pem(PRIVATE_KEY).unwrap();
    let now = DateTime::from_timestamp(1_764_000_000, 0).unwrap();
    let sign = || signature("teststore", &Secret::new(KEY), now).unwrap();
    let opened = |signature: &Secret| {
        let sealed = base64::engine::general_purpose::STANDARD.decode(signature.expose()).unwrap();
        String::from_utf8(private.decrypt(rsa::Pkcs1v15Encrypt, &sealed).unwrap()).unwrap()
    };
    let (one, two) = (sign(), sign());
    assert_eq!(
        (opened(&one).as_str(), opened(&two).as_str()),
        ("teststore:1764000000", "teststore:1764000000")
    );
    assert!(one != two, "the padding is random");
    assert!(!one.expose().contains('\n') && one.expose().len() == 172, "1024 bits in base64");
}

#[test]
fn keys_are_read_as_people_paste_them() {
    let bare: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    for text in [
        KEY.to_owned(),
        bare.clone(),
        format!("  {bare}\r\n"),
        KEY.replace('\n', "\\n"),
        KEY.replace('\n', "\r\n"),
    ] {
        assert!(read_key(&Secret::new(text)).is_ok());
    }
    for text in ["", "abc", "-----BEGIN PUBLIC KEY-----", PRIVATE_KEY, &bare[..60]] {
        let error = read_key(&Secret::new(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(!error.to_string().contains("MI"), "{error}");
    }
}

#[test]
fn key_status_table() {
    assert_eq!(key_trouble("authorized"), None);
    let mut told: Vec<&str> = [
        "none",
        "expired-key-version",
        "invalid-key-version",
        "not-found-key-version",
        "invalid-key-status",
        "expired-timestamp",
        "invalid-timestamp",
        "invalid-sellerid",
        "invalid-authorize-value",
        "unauthorized",
        "other",
    ]
    .into_iter()
    .map(|status| key_trouble(status).unwrap())
    .collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 11, "each says something of its own");
}

#[test]
fn what_is_missing_from_the_credentials_is_named() {
    assert!(check(&credentials()).is_ok());
    for part in [SELLER_ID, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, PUBLIC_KEY, PUBLIC_KEY_VERSION] {
        let error = check(&credentials().with(part, " ")).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }
    let unsigned = credentials().with(PUBLIC_KEY, "").with(PUBLIC_KEY_VERSION, "");
    assert!(check(&unsigned).is_ok(), "the test environment may know no keys");
    assert!(
        auth::PARTS
            .iter()
            .filter(|part| part.name == PUBLIC_KEY)
            .all(|part| read_key(&part.example.into()).is_ok())
    );
}

#[test]
fn the_channel_is_described() {
    let channel = YahooShopping::new(&client(), "shop", &credentials(), Config::live().unwrap()).unwrap();
    let info = channel.info();
    assert_eq!(
        (info.id.as_str(), info.currencies.as_slice()),
        ("yahoo_shopping", &[crate::model::Currency::JPY][..])
    );
    assert_eq!((info.stock_batch, info.read_batch, info.stock_range), (1000, 25, (0, 999_999_999)));
    assert_eq!(info.credential_life.map(|life| life.as_secs()), Some(28 * 86_400));
    use Capability as C;
    let offered: Vec<C> = Capabilities::of(&channel).iter().collect();
    assert_eq!(
        offered,
        [
            C::FetchOrders,
            C::ConfirmOrders,
            C::DispatchOrders,
            C::UpdateStock,
            C::ListListings,
            C::HandleCancellations,
            C::RenewCredentials
        ]
    );
    assert!(DispatchOrders::hand_over_methods(&channel).is_empty());
    let shown = format!("{channel:?}");
    for secret in ["a-secret-of-the-application", "a-refresh-token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
