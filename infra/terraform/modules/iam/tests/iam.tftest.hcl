mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                    = "fest-test"
  region                  = "eu-central-1"
  account_id              = "123456789012"
  secret_arns             = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:fest/fest-test/keys-abcdef"]
  release_bucket          = "example-releases"
  log_group_arns          = ["arn:aws:logs:eu-central-1:123456789012:log-group:/fest/fest-test/server"]
  metric_namespace        = "fest/fest-test"
  gateway_file_system_arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-1"
}

run "a_server_may_do_what_it_needs_and_no_more" {
  command = apply

  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : s.Action])) == toset(["ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel", "secretsmanager:GetSecretValue", "s3:GetObject", "ec2:AttachVolume", "ec2:DescribeVolumes", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents", "cloudwatch:PutMetricData", "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"])
    error_message = "the server's actions are these and no others"
  }
  assert {
    condition     = alltrue([for role in [aws_iam_role_policy.server, aws_iam_role_policy.roll] : alltrue([for action in flatten([for s in jsondecode(role.policy).Statement : s.Action]) : !strcontains(action, "*")])])
    error_message = "no action has a wildcard"
  }
  assert {
    condition     = toset([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : s.Sid if s.Resource == "*"]) == toset(["LetOperatorsIn", "SeeVolumes", "PutFigures"])
    error_message = "only what AWS cannot name is allowed on everything"
  }
  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : s.Condition.StringEquals["aws:ResourceTag/fest:deployment"] if s.Sid == "AttachLogVolumes"]) == "fest-test"
    error_message = "a server attaches volumes of its own deployment to machines of its own deployment"
  }
  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : s.Condition.StringEquals["cloudwatch:namespace"] if s.Sid == "PutFigures"]) == "fest/fest-test"
    error_message = "figures go into one namespace"
  }
  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : s.Resource if s.Sid == "ReadItsSecrets"]) == ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:fest/fest-test/keys-abcdef"]
    error_message = "only the given secrets are read"
  }
  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : s.Resource if s.Sid == "FetchReleases"]) == "arn:aws:s3:::example-releases/releases/*"
    error_message = "a server reads releases, and writes none"
  }
  assert {
    condition     = jsondecode(aws_iam_role.server.assume_role_policy).Statement[0].Principal.Service == "ec2.amazonaws.com"
    error_message = "only machines have the server's role"
  }
  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.server.policy).Statement : alltrue([for action in s.Action : startswith(action, "ssmmessages:") || action == "ssm:UpdateInstanceInformation"]) if s.Sid == "LetOperatorsIn"])
    error_message = "operators come by Session Manager, and the role can do nothing else with Systems Manager"
  }
}

run "the_rolling_replacement_reaches_this_deployment_only" {
  command = apply

  assert {
    condition     = jsondecode(aws_iam_role_policy.roll.policy).Statement[0].Resource == "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:*:autoScalingGroupName/fest-test-server-*"
    error_message = "only servers of this deployment are replaced"
  }
  assert {
    condition     = jsondecode(aws_iam_role.roll.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "no other account makes Systems Manager use the role"
  }
}

run "wildcards_and_odd_names_are_refused" {
  command = plan
  variables {
    name           = "Fest"
    region         = "Frankfurt"
    account_id     = "1"
    secret_arns    = ["arn:aws:secretsmanager:eu-central-1:123456789012:secret:*"]
    release_bucket = "No Bucket"
    release_prefix = "releases"

    log_group_arns          = ["arn:aws:logs:eu-central-1:123456789012:log-group:*"]
    metric_namespace        = "AWS/EC2"
    gateway_file_system_arn = "*"
  }
  expect_failures = [var.log_group_arns, var.metric_namespace, var.gateway_file_system_arn, var.name, var.region, var.account_id, var.secret_arns, var.release_bucket, var.release_prefix]
}
