# Who asked for what, by address and time. AWS writes access logs to buckets with its own keys only (SSE-S3).

locals {
  # Regions that AWS opened since 2022 write logs as a service; in older ones an account of AWS does, another one in each.
  young_regions = ["ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1", "mx-central-1"]
  log_writer    = contains(local.young_regions, data.aws_region.current.name) ? { Service = "logdelivery.elasticloadbalancing.amazonaws.com" } : { AWS = data.aws_elb_service_account.this[data.aws_region.current.name].arn }

  access_logs = var.access_log_days > 0 ? toset(["${var.name}-access-logs-${var.account_id}"]) : toset([])
}

data "aws_region" "current" {}

data "aws_elb_service_account" "this" {
  for_each = setsubtract([data.aws_region.current.name], local.young_regions)
}

resource "aws_s3_bucket" "access_logs" {
  for_each = local.access_logs

  bucket = each.key
}

resource "aws_s3_bucket_public_access_block" "access_logs" {
  for_each = local.access_logs

  bucket                  = aws_s3_bucket.access_logs[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "access_logs" {
  for_each = local.access_logs

  bucket = aws_s3_bucket.access_logs[each.key].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "access_logs" {
  for_each = local.access_logs

  bucket = aws_s3_bucket.access_logs[each.key].id

  rule {
    id     = "forget"
    status = "Enabled"

    filter {}

    expiration {
      days = var.access_log_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "access_logs" {
  for_each = local.access_logs

  bucket = aws_s3_bucket.access_logs[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "LoadBalancerWrites"
        Effect    = "Allow"
        Principal = local.log_writer
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.access_logs[each.key].arn}/AWSLogs/${var.account_id}/*"
      },
      {
        Sid       = "NothingInTheClear"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.access_logs[each.key].arn, "${aws_s3_bucket.access_logs[each.key].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
