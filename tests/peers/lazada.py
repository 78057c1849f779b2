"""Lazada's face, called with Lazada's own Python SDK as it was put on PyPI. It checks nothing of the answers, so this does.

requires: lazop-sdk==1.0.3 requests==2.34.2
"""

import json
import os
import sys
import tempfile
import urllib.request

# It makes a folder for its log in the home folder.
os.environ["HOME"] = tempfile.mkdtemp()
from lazop_sdk.base import LazopClient, LazopRequest  # noqa: E402

start = json.loads(sys.argv[1])
base_url = start["faces"]["lazada"]["base_url"] + "/rest"
key = start["faces"]["lazada"]["credentials"]
client = LazopClient(base_url, key["app_key"], key["app_secret"])
token = None


def check(found, wanted, what):
    assert found == wanted, f"{what}: {found!r} is not {wanted!r}"


def call(path, method="GET", using=client, access=True, **params):
    request = LazopRequest(path, method)
    for name, value in params.items():
        request.add_api_param(name, value if isinstance(value, str) else json.dumps(value))
    return using.execute(request, token if access else None)


def done(path, method="GET", **params):
    answer = call(path, method, **params)
    check(answer.code, "0", f"the code of {path} ({answer.message})")
    assert answer.request_id
    return answer.body


def refused(wanted, path, method="GET", **params):
    answer = call(path, method, **params)
    check(answer.code, wanted, f"the code of {path}")
    assert answer.type in ("ISV", "ISP") and answer.message
    return answer.body


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{start['control']}/{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# Tokens: the code works once, the refresh token is replaced.
granted = done("/auth/token/create", "POST", access=False, code=key["auth_code"])
refused("InvalidCode", "/auth/token/create", "POST", access=False, code=key["auth_code"])
renewed = done("/auth/token/refresh", access=False, refresh_token=granted["refresh_token"])
refused("IllegalRefreshToken", "/auth/token/refresh", access=False, refresh_token=granted["refresh_token"])
token = "nobody's"
refused("IllegalAccessToken", "/seller/get")
token = renewed["access_token"]
check(done("/seller/get")["data"]["seller_id"], 1001, "the seller")
wrong = LazopClient(base_url, key["app_key"], "wrong")
refused("IncompleteSignature", "/seller/get", using=wrong)

# Orders, page by page, with their items.
refused("17", "/orders/get", limit="2")
orders = []
while True:
    data = done(
        "/orders/get",
        created_after="2018-02-10T16:00:00+08:00",
        sort_by="created_at",
        sort_direction="ASC",
        offset=str(len(orders)),
        limit="2",
    )["data"]
    check(data["countTotal"], 5, "how many orders there are")
    if not data["orders"]:
        break
    orders.extend(data["orders"])
ids = [int(order["order_id"]) for order in orders]
check(len(set(ids)), 5, "orders on all pages")
many = done("/orders/items/get", order_ids=ids)["data"]
check([row["order_id"] for row in many], ids, "orders with their items")
for order, row in zip(orders, many):
    check(len(row["order_items"]), order["items_count"], "items of an order")
check(done("/order/get", order_id=ids[0])["data"]["order_id"], ids[0], "one order")

# Packing and sending, each order item with its own result.
items = [item["order_item_id"] for item in many[0]["order_items"]]
pack = {
    "pack_order_list": [{"order_id": ids[0], "order_item_list": [*items, 7]}],
    "delivery_type": "dropship",
    "shipping_allocate_type": "TFS",
}
result = done("/order/fulfill/pack", "POST", packReq=pack)["result"]
rows = result["data"]["pack_order_list"][0]["order_item_list"]
check([row["item_err_code"] for row in rows], ["0"] * len(items) + ["700025"], "results of packing")
package = rows[0]["package_id"]
ready = {"packages": [{"package_id": package}, {"package_id": "FP1"}]}
result = done("/order/package/rts", "POST", readyToShipReq=ready)["result"]
check([row["item_err_code"] for row in result["data"]["packages"]], ["0", "600001"], "results of sending")
shown = done("/order/items/get", order_id=ids[0])["data"]
check({item["status"] for item in shown}, {"ready_to_ship"}, "statuses of sent items")
check({item["tracking_code"] for item in shown}, {rows[0]["tracking_number"]}, "tracking numbers")
sent = [
    event
    for event in control(f"record?order={ids[0] - 490_000_000_000_000}")
    if event["action"] == "shipped" and "refused" not in event
]
check({event["tracking"] for event in sent}, {rows[0]["tracking_number"]}, "what was sent")

# Stock, as XML and by SKU, and the listings that show it.
products = done("/products/get", filter="live", limit="50", options="1")["data"]["products"]
skus = [(product["item_id"], sku) for product in products for sku in product["skus"]]
rows = "".join(
    f"<Sku><ItemId>{item}</ItemId><SkuId>{sku['SkuId']}</SkuId><SellableQuantity>{quantity}</SellableQuantity></Sku>"
    for quantity, (item, sku) in enumerate(skus)
)
xml = f"<Request><Product><Skus>{rows}</Skus></Product></Request>"
done("/product/stock/sellable/update", "POST", payload=xml)
products = done("/products/get", filter="live", limit="50")["data"]["products"]
shown = [sku["Available"] for product in products for sku in product["skus"]]
check(shown, list(range(len(skus))), "quantities after the update")
answer = refused("501", "/product/stock/sellable/update", "POST", payload=xml.replace("<SkuId>", "<SkuId>9"))
check(len(answer["detail"]), len(skus), "SKUs that failed")

# Cancelling: the buyer's request, and the seller's own.
control(f"orders/{ids[1] - 490_000_000_000_000}/request-cancel", {"reason": "too slow"})
reverse = done("/reverse/getreverseordersforseller", "POST", page_no="1", page_size="10")["result"]["items"]
assert reverse and all(one["trade_order_id"] == ids[1] for one in reverse)
for one in reverse:
    done("/order/reverse/cancel/seller/decide", reverse_order_id=one["reverse_order_id"], agree_cancel="true")
    refused("131", "/order/reverse/cancel/seller/decide", reverse_order_id=one["reverse_order_id"], agree_cancel="true")
mine = {"order_id": ids[2], "order_item_id_list": [item["order_item_id"] for item in many[2]["order_items"]]}
reason = done("/order/reverse/cancel/validate", **mine)["data"]["reason_options"][1]["reason_id"]
done("/order/reverse/cancel/create", reason_id=reason, **mine)
for order in ids[1:3]:
    check(done("/order/get", order_id=order)["data"]["statuses"], ["canceled"], "the status of a cancelled order")
