const cdk = require('aws-cdk-lib');
const { aws_lambda: lambda, aws_apigatewayv2: v2, aws_apigatewayv2_integrations: integrations,
  aws_apigatewayv2_authorizers: authorizers } = cdk;
const app = new cdk.App();
const stack = new cdk.Stack(app, 'Chat');
const make = (id, folder) => new lambda.Function(stack, id, {
  runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code: lambda.Code.fromAsset(folder) });
const talk = make('Talk', 'chat');
const decide = make('Decide', 'authorizer');
const to = (id) => ({ integration: new integrations.WebSocketLambdaIntegration(id, talk) });
const sockets = new v2.WebSocketApi(stack, 'Sockets', {
  routeSelectionExpression: '$request.body.kind',
  connectRouteOptions: { ...to('OnConnect'), authorizer: new authorizers.WebSocketLambdaAuthorizer('Asked', decide, {
    identitySource: ['route.request.querystring.token'] }) },
  defaultRouteOptions: to('OnMessage'),
  disconnectRouteOptions: to('OnEnd'),
});
sockets.addRoute('echo', { ...to('Echo'), returnResponse: true });
const stage = new v2.WebSocketStage(stack, 'Live', { webSocketApi: sockets, stageName: 'live', autoDeploy: true });
sockets.grantManageConnections(talk);
talk.addEnvironment('CALLBACK', stage.callbackUrl);
