# Two roles: what a server may do, and what the rolling replacement may do. Nobody else gets anything here. Whatever can be named
# is named, and what AWS cannot name is bound by a tag that only machines and volumes of this deployment have.

locals {
  ec2 = "arn:aws:ec2:${var.region}:${var.account_id}"
  # Set by the service module on volumes and machines.
  ours = { StringEquals = { "aws:ResourceTag/fest:deployment" = var.name } }
}

resource "aws_iam_role" "server" {
  name        = "${var.name}-server"
  description = "A server of ${var.name}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

resource "aws_iam_instance_profile" "server" {
  name = "${var.name}-server"
  role = aws_iam_role.server.name
}

resource "aws_iam_role_policy" "server" {
  name = "server"
  role = aws_iam_role.server.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Session Manager instead of SSH: no port is open, no key is kept, and who was on a machine is in CloudTrail. Only that: AWS's own
      # policy for it (AmazonSSMManagedInstanceCore) also reads every parameter of the account.
      {
        Sid      = "LetOperatorsIn"
        Effect   = "Allow"
        Action   = ["ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"]
        Resource = "*" # AWS knows no narrower way
      },
      {
        Sid      = "ReadItsSecrets"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = var.secret_arns
      },
      {
        Sid      = "FetchReleases"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "arn:aws:s3:::${var.release_bucket}/${var.release_prefix}*"
      },
      {
        Sid       = "AttachLogVolumes"
        Effect    = "Allow"
        Action    = "ec2:AttachVolume"
        Resource  = ["${local.ec2}:volume/*", "${local.ec2}:instance/*"]
        Condition = local.ours
      },
      {
        Sid      = "SeeVolumes"
        Effect   = "Allow"
        Action   = "ec2:DescribeVolumes"
        Resource = "*" # AWS knows no narrower way
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [for arn in var.log_group_arns : "${arn}:*"]
      },
      {
        Sid       = "PutFigures"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*" # AWS knows no narrower way; the namespace is the bound
        Condition = { StringEquals = { "cloudwatch:namespace" = var.metric_namespace } }
      },
      {
        Sid       = "MountTheGatewaysLedger"
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
        Resource  = var.gateway_file_system_arn
        Condition = { Bool = { "elasticfilesystem:AccessedViaMountTarget" = "true" } }
      },
    ]
  })
}

resource "aws_iam_role" "roll" {
  name        = "${var.name}-roll"
  description = "Replaces the servers of ${var.name} one after the other"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ssm.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "roll" {
  name = "roll"
  role = aws_iam_role.roll.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReplaceServers"
        Effect   = "Allow"
        Action   = "autoscaling:StartInstanceRefresh"
        Resource = "arn:aws:autoscaling:${var.region}:${var.account_id}:autoScalingGroup:*:autoScalingGroupName/${var.name}-server-*"
      },
      {
        Sid      = "SeeHowItGoes"
        Effect   = "Allow"
        Action   = ["autoscaling:DescribeInstanceRefreshes", "autoscaling:DescribeAutoScalingGroups", "elasticloadbalancing:DescribeTargetHealth"]
        Resource = "*" # AWS knows no narrower way
      },
    ]
  })
}
