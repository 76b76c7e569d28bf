# What the functions of all front doors have in common.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "name" {
  type = string
}

variable "zip" {
  type = string
}

variable "handler" {
  type = string
}

variable "timeout" {
  type = number # seconds
}

variable "environment" {
  type    = map(string)
  default = {}
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  filename         = var.zip
  source_code_hash = filebase64sha256(var.zip) # a build that has changed nothing has the same, and is not uploaded again
  handler          = var.handler
  runtime          = "python3.13"
  architectures    = ["arm64"] # what the zip was built for
  memory_size      = 512       # CPU comes with it: less starts slower
  timeout          = var.timeout
  role             = aws_iam_role.this.arn

  environment {
    variables = merge({
      AWS_LAMBDA_EXEC_WRAPPER = "/var/task/lambent/exec/wrapper" # Lambent's own runtime, from the zip
    }, var.environment)
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
  }
}

resource "aws_cloudwatch_log_group" "this" { # one that Lambda makes would keep its lines for ever
  name              = "/aws/lambda/${var.name}"
  retention_in_days = 30
}

resource "aws_iam_role" "this" {
  name_prefix = "${var.name}-"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "logs" {
  name = "logs"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.this.arn}:*"
    }]
  })
}

output "name" {
  value = aws_lambda_function.this.function_name
}

output "arn" {
  value = aws_lambda_function.this.arn
}

output "invoke_arn" { # what APIs call it by
  value = aws_lambda_function.this.invoke_arn
}

output "role" {
  value = aws_iam_role.this.name
}
