# Who asked for what, by address and time. AWS writes access logs to buckets with its own keys only (SSE-S3).

locals {
  access_logs = var.access_log_days > 0 ? toset(["${var.name}-access-logs-${var.account_id}"]) : toset([])
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
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
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
