# requires: rakuten-ws==0.5.2
"""rakuten-ws against the sandbox: search, detail, confirm, dispatch, items.

Only its two base URLs are set. It has no call for the inventory API 2.x, and none of its own for dispatch: that one goes
through its `send_request`.
"""

import datetime
import json
import sys

import requests
from rakuten_ws import RakutenWebService

start = json.loads(sys.argv[1])
face = start["faces"]["rakuten"]
base, credentials, control = face["base_url"], face["credentials"], start["control"]
requests.put(
    control + "/faces/rakuten/control/settings", json={"payment": {"step": "at_once"}}
).raise_for_status()


def client(license_key):
    service = RakutenWebService(
        application_id="none", license_key=license_key, secret_service=credentials["service_secret"], debug=True
    )
    orders = service.rms.rakutenpay_order
    orders.endpoint = base + "/es/2.0/order"
    return service, orders


def codes(answer):
    return [message["messageCode"].removeprefix("ORDER_EXT_API_") for message in answer["MessageModelList"]]


service, orders = client(credentials["license_key"])
japan = datetime.timezone(datetime.timedelta(hours=9))
now = datetime.datetime.now(japan)
form = "%Y-%m-%dT%H:%M:%S+0900"
window = {
    "dateType": 1,
    "startDatetime": (now - datetime.timedelta(days=1)).strftime(form),
    "endDatetime": (now + datetime.timedelta(days=1)).strftime(form),
}

found = orders.searchOrder(**window, orderProgressList=[100])
assert codes(found) == ["SEARCH_ORDER_INFO_101"], found
numbers = found["orderNumberList"]
assert len(numbers) == 5 and found["PaginationResponseModel"]["totalRecordsAmount"] == 5, found

details = orders.getOrder(numbers, version=7)
assert codes(details) == ["GET_ORDER_INFO_101"], details
assert [order["orderNumber"] for order in details["OrderModelList"]] == numbers
for order in details["OrderModelList"]:
    assert order["orderProgress"] == 100
    for package in order["PackageModelList"]:
        assert package["SenderModel"]["prefecture"] and package["ItemModelList"]
        for item in package["ItemModelList"]:
            assert item["units"] >= 1 and item["SkuModelList"][0]["variantId"]
assert codes(orders.getOrder(numbers)) == ["GET_ORDER_ERROR_011"], "its default version 1 is refused today"

confirmed = orders.confirmOrder(numbers[:2])
assert codes(confirmed) == ["CONFIRM_ORDER_INFO_101"] * 2, confirmed
assert codes(orders.confirmOrder(numbers[:1])) == ["CONFIRM_ORDER_ERROR_103"]
assert orders.searchOrder(**window, orderProgressList=[300])["orderNumberList"] == numbers[:2]

package = details["OrderModelList"][0]["PackageModelList"][0]
shipment = {
    "shippingDetailId": package["ShippingModelList"][0]["shippingDetailId"],
    "deliveryCompany": "1001",
    "shippingNumber": "123456789012",
    "shippingDate": now.strftime("%Y-%m-%d"),
}
baskets = [{"basketId": package["basketId"], "ShippingModelList": [shipment]}]
sent = orders.send_request("updateOrderShipping", {"orderNumber": numbers[0], "BasketidModelList": baskets})
assert codes(sent) == ["UPDATE_ORDERSHIPPING_INFO_102"], sent
order = orders.getOrder(numbers[:1], version=7)["OrderModelList"][0]
assert order["orderProgress"] == 500, order
assert order["PackageModelList"][0]["ShippingModelList"][0]["shippingNumber"] == "123456789012"

none = orders.searchOrder(**window, orderProgressList=[900])
assert none["orderNumberList"] == [] and none["PaginationResponseModel"]["totalPages"] is None, none

_, stranger = client(credentials["expired_license_key"])
refused = stranger.searchOrder(**window)
assert refused["errors"][0]["code"] == "GA0001", refused

record = requests.get(control + "/record").json()
done = [event["action"] for event in record if "refused" not in event]
assert done.count("shipped") == sum(len(p["ItemModelList"]) for p in order["PackageModelList"]), done
print("5 orders found and read, 2 confirmed, 1 sent")
