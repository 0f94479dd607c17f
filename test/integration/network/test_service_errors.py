"""Errors that DynamoDB answers: each becomes its SQLSTATE, and is tried again where that can help."""

import pytest

import faults
from support import dynamodb, fill, takes

SELECT = "SELECT trips FROM drivers WHERE driver_id = 1"
INSERT = "INSERT INTO drivers VALUES (1, '2024-03-01 10:20:30+00', 0.25, 10)"
STATEMENTS = {"BatchGetItem": SELECT, "BatchWriteItem": INSERT}

FINAL = [
    ("AccessDeniedException", 400, "42501"),
    ("UnrecognizedClientException", 400, "28000"),
    ("InvalidSignatureException", 400, "28000"),
    ("ExpiredTokenException", 400, "28000"),
    ("MissingAuthenticationTokenException", 400, "28000"),
    ("ResourceNotFoundException", 400, "HV00R"),
    ("ValidationException", 400, "HV000"),
    ("SomethingNewException", 400, "HV000"),
]
PASSING = [
    ("InternalServerError", 500, "08006"),
    ("InternalFailure", 502, "08006"),
    ("ServiceUnavailable", 503, "08006"),
    ("GatewayTimeout", 504, "08006"),
    ("ThrottlingException", 400, "53400"),
    ("ProvisionedThroughputExceededException", 400, "53400"),
    ("RequestLimitExceeded", 400, "53400"),
]


@pytest.fixture(params=STATEMENTS)
def operation(request):
    return request.param


@pytest.mark.parametrize("code, status, sqlstate", FINAL)
def test_a_final_error_is_not_retried(drivers, proxy, operation, code, status, sqlstate):
    proxy.fault(faults.error(code, status, message="words of the service"), times=None, operation=operation)
    error = drivers.fail(STATEMENTS[operation])
    assert error.sqlstate == sqlstate
    assert proxy.count(operation) == 1
    assert "drivers" in error.diag.message_primary
    detail = error.diag.message_detail
    assert code in detail and "words of the service" in detail and "REQUEST" in detail


@pytest.mark.parametrize("code, status, sqlstate", PASSING)
def test_a_passing_error_fails_after_the_last_attempt(drivers, proxy, operation, code, status, sqlstate):
    drivers.set_server(total_max_retry_attempts=2)
    proxy.fault(faults.error(code, status), times=None, operation=operation)
    with takes(less_than=5):
        error = drivers.fail(STATEMENTS[operation])
    assert error.sqlstate == sqlstate
    assert proxy.count(operation) == 2
    assert code in error.diag.message_detail


@pytest.mark.parametrize("code, status, sqlstate", PASSING)
def test_a_passing_error_passes(drivers, proxy, operation, code, status, sqlstate):
    fill(drivers, 1)
    proxy.forget()
    proxy.fault(faults.error(code, status), operation=operation)
    drivers.run(STATEMENTS[operation])
    assert proxy.count(operation) == 2
    assert drivers.run(SELECT) == [(10,)]


def test_throttling_says_how_often_and_how_long(drivers, proxy):
    drivers.set_server(total_max_retry_attempts=2)
    proxy.fault(faults.error("ThrottlingException"), times=None)
    error = drivers.fail(SELECT)
    assert "2 attempts" in "%s %s" % (error.diag.message_primary, error.diag.message_detail)


def test_the_service_may_ask_for_a_pause(drivers, proxy):
    proxy.fault(faults.error("InternalServerError", 500, x_amz_retry_after="700"))
    with takes(less_than=10, more_than=0.7):
        drivers.run(SELECT)


def test_access_denied_names_the_action_and_the_table(drivers, proxy, project, operation):
    proxy.fault(faults.error("AccessDeniedException"), operation=operation)
    hint = drivers.fail(STATEMENTS[operation]).diag.message_hint
    assert "dynamodb:" + operation in hint and project + ".drivers" in hint


def test_a_missing_table(drivers, project):
    dynamodb().delete_table(TableName=project + ".drivers")
    assert drivers.fail(SELECT).sqlstate == "HV00R"
    assert drivers.fail(INSERT).sqlstate == "HV00R"
    assert drivers.alive()


def test_one_failing_request_of_many_fails_the_statement(drivers, proxy):
    fill(drivers, 500)
    proxy.latency = 0.05
    proxy.fault(faults.right, times=3, operation="BatchGetItem")
    proxy.fault(faults.error("ValidationException"), operation="BatchGetItem")
    query = "SELECT trips FROM drivers WHERE driver_id = ANY (%s)"
    assert drivers.fail(query, [list(range(1, 501))]).sqlstate == "HV000"
    # Late answers of the failed statement don't disturb the next one.
    assert len(drivers.run(query, [list(range(1, 501))])) == 500
