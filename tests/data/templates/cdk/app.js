const cdk = require('aws-cdk-lib');
const { aws_lambda: lambda, aws_apigateway: apigw, aws_apigatewayv2: v2, aws_apigatewayv2_integrations: integrations,
  aws_apigatewayv2_authorizers: authorizers, aws_events: events, aws_events_targets: targets, aws_sqs: sqs,
  aws_lambda_event_sources: sources, aws_dynamodb: dynamodb, aws_scheduler: scheduler, aws_scheduler_targets: st } = cdk;
const app = new cdk.App();
const data = new cdk.Stack(app, 'Data');
const table = new dynamodb.Table(data, 'Table', { partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING } });
const queue = new sqs.Queue(data, 'Orders');
const stack = new cdk.Stack(app, 'Shop');
const layer = new lambda.LayerVersion(stack, 'Words', { code: lambda.Code.fromAsset('layer') });
const make = (id, props) => new lambda.Function(stack, id, {
  runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code: lambda.Code.fromAsset('lambda'), layers: [layer],
  environment: { TABLE: table.tableName }, ...props });
const items = make('Items', { timeout: cdk.Duration.seconds(7), memorySize: 512, reservedConcurrentExecutions: 4 });
const pages = make('Pages', {});
const decide = make('Decide', { code: lambda.Code.fromAsset('authorizer') });
new lambda.Function(stack, 'Node', { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromInline('exports.handler = 1') });
const api = new apigw.RestApi(stack, 'Api', { defaultCorsPreflightOptions: { allowOrigins: ['https://shop.example'], allowMethods: ['GET', 'POST'] },
  deployOptions: { stageName: 'live', variables: { colour: 'blue' } } });
api.root.addMethod('GET', new apigw.LambdaIntegration(items));
const item = api.root.addResource('items').addResource('{id}');
item.addMethod('GET', new apigw.LambdaIntegration(items));
item.addMethod('POST', new apigw.LambdaIntegration(items), { apiKeyRequired: true, authorizer: new apigw.RequestAuthorizer(stack, 'Asked', {
  handler: decide, identitySources: [apigw.IdentitySource.header('X-Key')], resultsCacheTtl: cdk.Duration.seconds(60) }) });
const http = new v2.HttpApi(stack, 'Site', { corsPreflight: { allowOrigins: ['*'], allowMethods: [v2.CorsHttpMethod.GET] } });
http.addRoutes({ path: '/pages/{page}', methods: [v2.HttpMethod.GET], integration: new integrations.HttpLambdaIntegration('P', pages),
  authorizer: new authorizers.HttpJwtAuthorizer('Jwt', 'https://issuer.example', { jwtAudience: ['shop'] }), authorizationScopes: ['read'] });
pages.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE, invokeMode: lambda.InvokeMode.RESPONSE_STREAM, cors: { allowedOrigins: ['*'] } });
new events.Rule(stack, 'Nightly', { schedule: events.Schedule.cron({ minute: '0', hour: '3' }), targets: [new targets.LambdaFunction(pages, { event: events.RuleTargetInput.fromObject({ night: true }) })] });
new scheduler.Schedule(stack, 'Often', { schedule: scheduler.ScheduleExpression.rate(cdk.Duration.minutes(5)), target: new st.LambdaInvoke(pages) });
items.addEventSource(new sources.SqsEventSource(queue, { batchSize: 5, maxBatchingWindow: cdk.Duration.seconds(2), reportBatchItemFailures: true, maxConcurrency: 3 }));
