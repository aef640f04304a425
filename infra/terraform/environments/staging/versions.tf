terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Bucket, region and key come from backend.hcl (terraform init -backend-config=backend.hcl). The state has the password of Redis in
  # it: the bucket is encrypted, versioned and for operators only.
  backend "s3" {
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { "fest:deployment" = local.name }
  }
}
