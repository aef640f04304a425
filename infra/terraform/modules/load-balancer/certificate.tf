# With a zone in Route 53: certificate (renewed by AWS as long as its proof stands in the zone) and address. Without one both are yours.

locals {
  names           = var.zone_id == null ? toset([]) : toset([var.domain_name])
  certificate_arn = var.zone_id == null ? var.certificate_arn : aws_acm_certificate_validation.this[var.domain_name].certificate_arn
}

resource "aws_acm_certificate" "this" {
  for_each = local.names

  domain_name       = each.key
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "proof" {
  for_each = local.names

  zone_id = var.zone_id
  name    = one(aws_acm_certificate.this[each.key].domain_validation_options).resource_record_name
  type    = one(aws_acm_certificate.this[each.key].domain_validation_options).resource_record_type
  records = [one(aws_acm_certificate.this[each.key].domain_validation_options).resource_record_value]
  ttl     = 300
}

resource "aws_acm_certificate_validation" "this" {
  for_each = local.names

  certificate_arn         = aws_acm_certificate.this[each.key].arn
  validation_record_fqdns = [aws_route53_record.proof[each.key].fqdn]
}

resource "aws_route53_record" "address" {
  for_each = local.names

  zone_id = var.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = false
  }
}
