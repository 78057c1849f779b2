"""Coupang's face, called with two clients that others wrote.

requires: python-coupang==0.1.2 coupang==1.4.2
"""

import datetime
import json
import os
import sys
import tempfile

# This file has the name of the package that it calls, and would be found first.
sys.path = [folder for folder in sys.path if folder != os.path.dirname(os.path.abspath(__file__))]

start = json.loads(sys.argv[1])
base_url = start["faces"]["coupang"]["base_url"]
key = start["faces"]["coupang"]["credentials"]
vendor = key["vendor_id"]


def orders_client():
    """coupang 1.4.2 reads its keys from a file where it is imported, and has the host as a literal: its own request
    function gets the sandbox's address in place of it, and is otherwise as it is."""
    with tempfile.TemporaryDirectory() as folder:
        home = os.getcwd()
        os.chdir(folder)
        with open("coupang.ini", "w", encoding="utf-8") as ini:
            ini.write(f"[DEFAULT]\nACCESSKEY={key['access_key']}\nSECRETKEY={key['secret_key']}\n")
        import coupang.common as common

        os.chdir(home)
    sent = common.request
    literal = "https://api-gateway.coupang.com"

    def request(method, url, *rest):
        assert url.startswith(literal), url
        return sent(method, base_url + url[len(literal):], *rest)

    common.request = request
    import coupang.ordersheet as ordersheet
    import coupang.returns as returns

    return ordersheet, returns


def check(found, wanted, what):
    assert found == wanted, f"{what}: {found!r} is not {wanted!r}"


def products():
    from pycoupang.client import CoupangClient

    client = CoupangClient(key["access_key"], key["secret_key"], vendor, base_url=base_url)
    page = client.products.list_products(vendor_id=vendor, max_per_page=4)
    check((page["code"], len(page["data"]), page["nextToken"]), ("SUCCESS", 4, "2"), "first page of products")
    page = client.products.list_products(vendor_id=vendor, max_per_page=4, next_token=page["nextToken"])
    check((len(page["data"]), page["nextToken"]), (2, ""), "second page of products")
    found = client.products.get_product_summary("CAP-02")
    [product] = found["data"]
    detail = client.products.get(str(product["sellerProductId"]))
    [item] = detail["data"]["items"]
    check(item["externalVendorSku"], "CAP-02", "the code of the item")
    stock = client.products.get_item_quantities(str(item["vendorItemId"]))
    check(stock["data"]["amountInStock"], 60, "the quantity of the item")
    # Its own signing, for the call that it has no method for.
    path = f"v2/providers/seller_api/apis/api/v1/marketplace/vendor-items/{item['vendorItemId']}/quantities/7"
    check(client._request("PUT", path)["code"], "SUCCESS", "setting the quantity")
    stock = client.products.get_item_quantities(str(item["vendorItemId"]))
    check(stock["data"]["amountInStock"], 7, "the quantity that was set")


def orders():
    ordersheet, returns = orders_client()
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=9))).date()
    window = {"createdAtFrom": str(today - datetime.timedelta(days=1)), "createdAtTo": str(today)}
    page = ordersheet.get_ordersheet({"vendorId": vendor}, {**window, "status": "ACCEPT", "maxPerPage": 3})
    check((len(page["data"]), page["nextToken"] != ""), (3, True), "first page of boxes")
    rest = ordersheet.get_ordersheet(
        {"vendorId": vendor}, {**window, "status": "ACCEPT", "maxPerPage": 3, "nextToken": page["nextToken"]}
    )
    check((len(rest["data"]), rest["nextToken"]), (2, ""), "second page of boxes")
    sheet = page["data"][0]
    path = {"vendorId": vendor, "shipmentBoxId": sheet["shipmentBoxId"], "orderId": sheet["orderId"]}
    check(ordersheet.get_ordersheet_by_shipmentboxid(path)["data"], sheet, "the box by its number")
    check(ordersheet.get_ordersheet_by_orderid(path)["data"], [sheet], "the boxes of the order")

    boxes = [sheet["shipmentBoxId"], 1]
    answer = ordersheet.update_ordersheet_status({"vendorId": vendor, "shipmentBoxIds": boxes})
    check(answer["data"]["responseCode"], 1, "confirming one box of two")
    codes = [row["resultCode"] for row in answer["data"]["responseList"]]
    check(codes, ["OK", "NOT_FOUND_SHIPMENT_BOX"], "results of confirming")

    def waybill(number):
        return {
            "vendorId": vendor,
            "orderSheetInvoiceApplyDtos": [
                {
                    "shipmentBoxId": sheet["shipmentBoxId"],
                    "orderId": sheet["orderId"],
                    "vendorItemId": item["vendorItemId"],
                    "deliveryCompanyCode": "CJGLS",
                    "invoiceNumber": number,
                    "splitShipping": False,
                    "preSplitShipped": False,
                    "estimatedShippingDate": "",
                }
                for item in sheet["orderItems"]
            ],
        }

    def result(answer):
        [row] = answer["data"]["responseList"]
        return row["resultCode"]

    check(result(ordersheet.update_order_shipping_info(waybill("123"))), "INVALID_INVOICE_NUMBER", "a bad waybill")
    check(result(ordersheet.update_order_shipping_info(waybill("680405450931"))), "OK", "a waybill")
    check(result(ordersheet.update_order_shipping_info(waybill("680405450931"))), "INVALID_STATUS", "a repeat")
    check(result(ordersheet.update_order_invoice(waybill("680405450932"))), "OK", "a correction")
    found = ordersheet.get_ordersheet_by_shipmentboxid(path)["data"]
    check((found["status"], found["invoiceNumber"]), ("DEPARTURE", "680405450932"), "the box that was sent")
    steps = [step["deliveryStatus"] for step in ordersheet.get_ordersheet_history(path)["data"]["details"]]
    check(steps, ["DEPARTURE", "INSTRUCT", "ACCEPT"], "the history of the box")

    other = page["data"][1]
    item = other["orderItems"][0]
    answer = ordersheet.cancel_order_processing(
        {
            "vendorId": vendor,
            "orderId": other["orderId"],
            "vendorItemIds": [item["vendorItemId"]],
            "receiptCounts": [item["shippingCount"]],
            "bigCancelCode": "CANERR",
            "middleCancelCode": "CCTTER",
            "userId": key["wing_user_id"],
        }
    )
    check(answer["data"]["failedVendorItemIds"], [], "what could not be cancelled")
    cancelled = returns.get_return_request_by_query({"vendorId": vendor}, {**window, "cancelType": "CANCEL"})
    check({row["orderId"] for row in cancelled["data"]}, {other["orderId"]}, "what was cancelled")


def wrong_key():
    from pycoupang.client import CoupangClient
    import requests

    client = CoupangClient(key["access_key"], "0" * 40, vendor, base_url=base_url)
    try:
        client.products.list_products(vendor_id=vendor)
    except requests.HTTPError as error:
        check(error.response.status_code, 401, "the status for a wrong key")
    else:
        raise AssertionError("a wrong key was accepted")


products()
orders()
wrong_key()
