"""TikTok Shop's face, called with a client that is generated from the partner documentation and strict about answers.

requires: tiktok-shop-api==0.1.0
"""

import json
import sys
import urllib.request

from tiktok_shop_api import TikTokShop, TikTokShopAuth, TikTokShopError, Webhooks
from tiktok_shop_api.generated.models import (
    BatchShipPackagesRequest,
    GetOrderListRequest,
    InventorySearchRequest,
    SearchProductsRequest,
    ShipPackageRequest,
    UpdateInventoryRequest,
)

start = json.loads(sys.argv[1])
base_url = start["faces"]["tiktok_shop"]["base_url"]
key = start["faces"]["tiktok_shop"]["credentials"]


def check(found, wanted, what):
    assert found == wanted, f"{what}: {found!r} is not {wanted!r}"


def refused(code, call, *args, **named):
    try:
        call(*args, **named)
    except TikTokShopError as error:
        check(error.code, code, f"the code of {call.__name__}")
    else:
        raise AssertionError(f"{call.__name__} was not refused")


def control(path, body):
    request = urllib.request.Request(
        f"{start['control']}/{path}", json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def control_get(path):
    with urllib.request.urlopen(f"{start['control']}/{path}") as answer:
        return json.load(answer)


# Tokens: the code works once, the refresh token is replaced.
auth = TikTokShopAuth(key["app_key"], key["app_secret"], base_url=base_url)
tokens = auth.exchange_code(key["auth_code"])
refused(36004004, auth.exchange_code, key["auth_code"])
renewed = auth.refresh(tokens.refresh_token)
assert renewed.refresh_token != tokens.refresh_token
refused(36004005, auth.refresh, tokens.refresh_token)

plain = TikTokShop(key["app_key"], key["app_secret"], renewed.access_token, base_url=base_url)
[shop] = plain.authorization.get_authorized_shops().data.shops
check(shop.id, key["shop_id"], "the shop")
client = TikTokShop(key["app_key"], key["app_secret"], renewed.access_token, shop.cipher, base_url=base_url)
wrong = TikTokShop(key["app_key"], "wrong", renewed.access_token, shop.cipher, base_url=base_url)
refused(106001, wrong.orders.get_order_list, page_size=10)

# Orders, page by page.
wanted = GetOrderListRequest.from_dict({"order_status": "AWAITING_SHIPMENT", "create_time_ge": 1})
orders, page_token = [], None
while page_token != "":
    more = {"page_token": page_token} if page_token else {}
    data = client.orders.get_order_list(body=wanted, page_size=2, **more).data
    check(data.total_count, 5, "how many orders there are")
    orders.extend(data.orders)
    page_token = data.next_page_token
check(len({order.id for order in orders}), 5, "orders on all pages")
# The client repeats the parameter for each id, the documentation joins them with commas: given as one text, they are.
detail = client.orders.get_order_detail(ids=[",".join(order.id for order in orders)]).data.orders
check([order.id for order in detail], [order.id for order in orders], "orders in detail")
units = [item.id for order in orders for item in order.line_items]
check(len(set(units)), len(units), "line items with an id of their own")
for order in orders:
    paid = sum(int(item.sale_price) for item in order.line_items) + int(order.payment.shipping_fee)
    check(paid, int(order.payment.total_amount), "what the buyer pays")

# Shipping: a pick-up, a repeat, a batch with a failure.
packages = [order.packages[0].id for order in orders]
slots = client.fulfillment.get_package_handover_time_slots(packages[0]).data
slot = slots.pickup_slots[0]
pickup = ShipPackageRequest.from_dict(
    {"handover_method": "PICKUP", "pickup_slot": {"start_time": slot.start_time, "end_time": slot.end_time}}
)
client.fulfillment.ship_package(packages[0], body=pickup)
refused(11006021, client.fulfillment.ship_package, packages[0], body=pickup)
batch = BatchShipPackagesRequest.from_dict(
    {"packages": [{"id": packages[0], "handover_method": "DROP_OFF"}, {"id": packages[1], "handover_method": "DROP_OFF"}]}
)
[error] = client.fulfillment.batch_ship_packages(body=batch).data.errors
check((error.code, error.detail.package_id), (11006021, packages[0]), "what failed in the batch")
shipped = client.orders.get_order_detail(ids=[orders[1].id]).data.orders[0]
check(shipped.status.value if hasattr(shipped.status, "value") else shipped.status, "AWAITING_COLLECTION", "the status")
package = client.fulfillment.get_package_detail(packages[1]).data
check(package.tracking_number, shipped.tracking_number, "the tracking number")
label = client.fulfillment.get_package_shipping_document(packages[1], document_type="SHIPPING_LABEL").data
assert label.doc_url.startswith(base_url), label.doc_url

# Stock: absolute, not below 1, refused for one SKU without an error of the call.
products = client.products.search_products(
    body=SearchProductsRequest.from_dict({"status": "ACTIVATE", "seller_skus": ["CAP-02"]}), page_size=10
).data.products
[product] = products
sku = product.skus[0]
check(sku.inventory[0].quantity, 60, "the quantity of the SKU")


def quantity(number):
    inventory = [{"warehouse_id": sku.inventory[0].warehouse_id, "quantity": number}]
    return UpdateInventoryRequest.from_dict({"skus": [{"id": sku.id, "inventory": inventory}]})


client.products.update_inventory(product.id, body=quantity(7))
[error] = client.products.update_inventory(product.id, body=quantity(0)).data.errors
check(error.detail.sku_id, sku.id, "the SKU that failed")
found = client.products.inventory_search(body=InventorySearchRequest.from_dict({"sku_ids": [sku.id]})).data
check(found.inventory[0].skus[0].total_available_quantity, 7, "the quantity that was set")

# A buyer's cancellation comes by webhook and is approved once under its key. The client searches cancellations by a newer
# version (202602) than the documentation at hand has.
number = int(orders[2].id) - 576_000_000_000_000_000
line = control_get(f"orders/{number}")["lines"][0]["number"]
control(f"orders/{number}/request-cancel", {"line": line, "reason": "ordered by mistake"})
call = control("faces/tiktok_shop/control/webhook", {"order": number, "event": "CANCELLATION_STATUS_CHANGE"})
signature = dict(map(tuple, call["headers"]))["authorization"]
event = Webhooks.verify_and_parse(
    app_key=key["app_key"], app_secret=key["app_secret"], raw_body=call["body"], signature=signature
)
check(event.data.order_id, orders[2].id, "the order of the webhook")
refused(21011007, client.fulfillment.ship_package, packages[2], body=pickup)
for _ in range(2):
    client.return_and_refund.approve_cancellation(event.data.cancel_id, idempotency_key="key-1")
refused(25011012, client.return_and_refund.approve_cancellation, event.data.cancel_id, idempotency_key="key-2")
items = client.orders.get_order_detail(ids=[orders[2].id]).data.orders[0].line_items
cancelled = [item for item in items if "CANCELLED" in str(item.display_status)]
check(len(cancelled), control_get(f"orders/{number}")["lines"][0]["quantity"], "cancelled units")
