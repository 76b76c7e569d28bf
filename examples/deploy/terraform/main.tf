# Each file is a front door of its own: remove those that you do not need.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.29, < 7" # invoked_via_function_url came with 6.29
    }
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

provider "aws" {
  region = var.region
}

locals {
  zip = "${path.module}/../app/dist/hello.zip" # what `lambent build` in ../app has made
}
