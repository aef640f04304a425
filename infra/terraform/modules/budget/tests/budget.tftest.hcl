mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name              = "fest-test"
  monthly_limit_usd = 250
  emails            = ["sre@example.org"]
}

run "costs_of_this_deployment_are_told_before_they_are_too_high" {
  command = apply

  assert {
    condition     = aws_budgets_budget.monthly.limit_amount == "250" && aws_budgets_budget.monthly.time_unit == "MONTHLY"
    error_message = "the bound is 250 dollars a month"
  }
  assert {
    condition     = one(one(aws_budgets_budget.monthly.cost_filter).values) == "user:fest:deployment$fest-test"
    error_message = "only what carries the deployment's tag is counted"
  }
  assert {
    condition     = toset([for n in aws_budgets_budget.monthly.notification : "${n.notification_type} ${n.threshold}"]) == toset(["ACTUAL 50", "ACTUAL 80", "ACTUAL 100", "FORECASTED 100"])
    error_message = "somebody is told at 50, 80 and 100 %, and when the month will come to more"
  }
  assert {
    condition     = alltrue([for n in aws_budgets_budget.monthly.notification : n.subscriber_email_addresses == toset(["sre@example.org"])])
    error_message = "everybody given is told of each"
  }
}

run "no_money_and_nobody_to_tell_are_refused" {
  command = plan
  variables {
    name              = "fest_test"
    monthly_limit_usd = 0
    emails            = []
  }
  expect_failures = [var.name, var.monthly_limit_usd, var.emails]
}

run "an_address_that_is_none_is_refused" {
  command = plan
  variables {
    emails = ["sre"]
  }
  expect_failures = [var.emails]
}
