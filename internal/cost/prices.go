package cost

import "slices"

// Date is when the table of prices was put together, and Region whose prices they are.
const (
	Date   = "2026-11-29"
	Region = "us-east-1"
)

// ID names a price.
type ID string

// What is billed by use.
const (
	Requests       ID = "lambda-requests"
	ComputeARM     ID = "lambda-compute-arm64"
	ComputeX86     ID = "lambda-compute-x86_64"
	ReadyARM       ID = "lambda-provisioned-arm64" // kept ready
	ReadyX86       ID = "lambda-provisioned-x86_64"
	ReadyRunARM    ID = "lambda-provisioned-compute-arm64" // running in what is kept ready
	ReadyRunX86    ID = "lambda-provisioned-compute-x86_64"
	GatewayHTTP    ID = "http-api"
	GatewayREST    ID = "rest-api"
	GatewayURL     ID = "function-url"
	LogsIn         ID = "logs-ingested"
	TransferOut    ID = "transfer-out"
	BoxInstance    ID = "ec2-t4g.small"
	BoxDisk        ID = "ebs-gp3"
	BoxAddress     ID = "public-ipv4"
	Balancer       ID = "alb"
	BalancerUnit   ID = "alb-lcu"
	StreamOnDemand ID = "kinesis-on-demand"
)

// What stands: it costs as long as it is there, used or not.
const (
	StreamShard  ID = "kinesis-shard"
	AuroraACU    ID = "aurora-acu"
	RDSMicro     ID = "rds-db.t4g.micro"
	RDSDisk      ID = "rds-gp3"
	CacheMicro   ID = "elasticache-valkey-t4g.micro"
	CacheRedis   ID = "elasticache-redis-t4g.micro"
	CacheLeast   ID = "elasticache-serverless-valkey"
	SearchSmall  ID = "opensearch-t3.small"
	SearchDisk   ID = "opensearch-gp3"
	KMSKey       ID = "kms-key"
	Secret       ID = "secret"
	HostedZone   ID = "route53-zone"
	Alarm        ID = "cloudwatch-alarm"
	GatewayCache ID = "rest-api-cache-0.5GB"
)

// Price is one line of AWS's price list.
type Price struct {
	ID      ID     `json:"id"`
	Service string `json:"service"`
	What    string `json:"what"`
	Counted string `json:"counted"`        // what is counted: "requests", "GB-s", "hours"
	Unit    string `json:"unit"`           // what the prices are for: "million requests"
	Per     Amount `json:"per"`            // how many counted make one unit
	Tiers   []Tier `json:"tiers"`          // by what a month comes to, lowest first
	Free    Amount `json:"free"`           // so many counted are free in every month, for ever
	Pool    string `json:"pool,omitempty"` // prices of one pool share what is free; "" shares with none
	Least   Amount `json:"least,omitzero"` // so many counted an hour are billed at least, as of serverless caches
	Source  string `json:"source"`         // where the figure was read, and of when it is
}

// Tier is a price up to an amount counted in a month; the last one has no end, 0.
type Tier struct {
	Upto  Amount `json:"upto,omitzero"`
	Price Amount `json:"price"` // dollars
}

// The sources that many prices share.
const (
	offerLambda = "AWS price list AWSLambda, us-east-1, as published 2026-09-19 (transcribed in public repositories)"
	offerReady  = "AWS price list AWSLambda, us-east-1, 2026 (transcribed in public repositories)"
	offerEC2    = "AWS price list AmazonEC2, us-east-1, 2026 (transcribed in public repositories; the same in spore-host/libs pricing/ec2.go, 2026-01)"
	pageGateway = "cloud-horizons.com (2026-05), amnic.com/blogs/aws-api-gateway-pricing"
	offerCache  = "AWS price list AmazonElastiCache, us-east-1, 2026 (transcribed in public repositories)"
)

// Table returns all prices, dollars before tax. AWS's own page shows its figures by script only, so each names the place
// where it was read.
func Table() []Price {
	return slices.Concat(lambdaPrices(), gatewayPrices(), trafficPrices(), boxPrices(), balancerPrices(), standingPrices())
}

// decimal reads a figure of the table; TestTable sees to it that none is wrong.
func decimal(text string) Amount {
	a, _ := Decimal(text)
	return a
}

func flat(price string) []Tier { return []Tier{{Price: decimal(price)}} }

const million, billion = 1_000_000, 1_000_000_000

func lambdaPrices() []Price {
	const service, seconds, pool = "Lambda", "GB-s", "lambda-gb-s"
	gbs := func(id ID, what string, tiers []Tier) Price {
		return Price{ID: id, Service: service, What: what, Counted: seconds, Unit: seconds, Per: Int(1), Tiers: tiers, Source: offerReady}
	}
	free := func(p Price) Price {
		p.Free, p.Pool = Int(400_000), pool
		p.Source = offerLambda + "; free: api-evangelist/aws-lambda plans (2026-09-20)"
		return p
	}
	return []Price{
		{
			ID: Requests, Service: service, What: "requests", Counted: "requests", Unit: "million requests", Per: Int(million),
			Tiers: flat("0.20"), Free: Int(million), Source: "api-evangelist/aws-lambda plans (2026-09-20); " + offerLambda,
		},
		free(gbs(ComputeARM, "compute, arm64", []Tier{
			{Int(7_500_000_000), decimal("0.0000133334")}, {Int(18_750_000_000), decimal("0.0000120001")}, {Price: decimal("0.0000106667")},
		})),
		free(gbs(ComputeX86, "compute, x86_64", []Tier{
			{Int(6 * billion), decimal("0.0000166667")}, {Int(15 * billion), decimal("0.0000150000")}, {Price: decimal("0.0000133334")},
		})),
		gbs(ReadyARM, "provisioned concurrency, arm64", flat("0.0000033334")),
		gbs(ReadyX86, "provisioned concurrency, x86_64", flat("0.0000041667")),
		gbs(ReadyRunARM, "compute in provisioned concurrency, arm64", flat("0.0000077778")),
		gbs(ReadyRunX86, "compute in provisioned concurrency, x86_64", flat("0.0000097222")),
	}
}

func gatewayPrices() []Price {
	call := func(id ID, what string, tiers []Tier) Price {
		return Price{
			ID: id, Service: "API Gateway", What: what, Counted: "requests", Unit: "million requests", Per: Int(million), Tiers: tiers,
			Source: pageGateway,
		}
	}
	url := call(GatewayURL, "function URL", flat("0"))
	url.Service, url.Source = "Lambda", "no charge of its own: dev.to/elifapaydin/fine-details-of-aws-lambda-function-url-feature-21kn (2022)"
	return []Price{
		call(GatewayHTTP, "HTTP API, by 512 KB", []Tier{{Int(300 * million), decimal("1.00")}, {Price: decimal("0.90")}}),
		call(GatewayREST, "REST API", []Tier{
			{Int(333 * million), decimal("3.50")},
			{Int(1000 * million), decimal("2.80")},
			{Int(20 * billion), decimal("2.38")},
			{Price: decimal("1.51")},
		}),
		url,
	}
}

func trafficPrices() []Price {
	const gb = "GB"
	return []Price{
		{
			ID: LogsIn, Service: "CloudWatch", What: "logs", Counted: gb, Unit: gb, Per: Int(1), Free: Int(5),
			Tiers:  []Tier{{Int(10 << 10), decimal("0.50")}, {Int(30 << 10), decimal("0.25")}, {Int(50 << 10), decimal("0.10")}, {Price: decimal("0.05")}},
			Source: "go-cloud.io (2026); tiers: AWS Compute Blog, \"AWS Lambda introduces tiered pricing for Amazon CloudWatch logs\" (2025)",
		},
		{
			ID: TransferOut, Service: "Data transfer", What: "to the Internet", Counted: gb, Unit: gb, Per: Int(1), Free: Int(100),
			Tiers:  []Tier{{Int(10 << 10), decimal("0.09")}, {Int(50 << 10), decimal("0.085")}, {Int(150 << 10), decimal("0.07")}, {Price: decimal("0.05")}},
			Source: "wring.co/blog/aws-data-transfer-pricing-guide (2026); the same in AWS price list AWSDataTransfer, 2026",
		},
	}
}

func boxPrices() []Price {
	return []Price{
		{
			ID: BoxInstance, Service: "EC2", What: "t4g.small, 2 processors, 2 GB, on demand", Counted: "hours", Unit: "hour", Per: Int(1),
			Tiers: flat("0.0168"), Source: offerEC2,
		},
		{
			ID: BoxDisk, Service: "EC2", What: "gp3 disk", Counted: "GB-months", Unit: "GB-month", Per: Int(1), Tiers: flat("0.08"),
			Source: "public repositories agree (2026)",
		},
		{
			ID: BoxAddress, Service: "EC2", What: "public IPv4 address", Counted: "hours", Unit: "hour", Per: Int(1), Tiers: flat("0.005"),
			Source: "AWS Networking Blog, \"Identify and optimize public IPv4 address usage on AWS\" (since 2024-02-01)",
		},
	}
}

// balancerPrices are those of what may stand before a box, and takes load off: a load balancer. What a unit is says unitsOf.
func balancerPrices() []Price {
	const service, source = "Elastic Load Balancing",
		"AWS page elasticloadbalancing/pricing, examples for US-East-1 (read 2026-09-20: api-evangelist/amazon-elastic-load-balancing plans)"
	return []Price{
		{ID: Balancer, Service: service, What: "Application Load Balancer", Counted: "hours", Unit: "hour", Per: Int(1), Tiers: flat("0.0225"), Source: source},
		{
			ID: BalancerUnit, Service: service, What: "capacity units (LCU) of an Application Load Balancer", Counted: "LCU-hours", Unit: "LCU-hour",
			Per: Int(1), Tiers: flat("0.008"), Source: source,
		},
	}
}

func standingPrices() []Price {
	hourly := func(id ID, service, what, price, source string) Price {
		return Price{ID: id, Service: service, What: what, Counted: "hours", Unit: "hour", Per: Int(1), Tiers: flat(price), Source: source}
	}
	monthly := func(id ID, service, what, price, source string) Price {
		return Price{ID: id, Service: service, What: what, Counted: "months", Unit: "month", Per: Int(1), Tiers: flat(price), Source: source}
	}
	alarm := monthly(Alarm, "CloudWatch", "alarm", "0.10", "c3x.dev/resources/aws/aws_cloudwatch_metric_alarm; 10 free: aws.amazon.com/cloudwatch/pricing")
	alarm.Free = Int(10)
	cache := hourly(CacheLeast, "ElastiCache", "serverless Valkey, data, at least 0.1 GB", "0.084",
		"usage.ai/blogs/aws/database-savings-plans/elasticache/serverless-pricing (2026-06); least: aws.amazon.com/elasticache/pricing")
	cache.Counted, cache.Unit, cache.Least = "GB-hours", "GB-hour", decimal("0.1")
	return []Price{
		hourly(StreamOnDemand, "Kinesis", "stream on demand", "0.04", "AWS page kinesis/data-streams/pricing (transcribed in public repositories, 2026)"),
		hourly(StreamShard, "Kinesis", "shard", "0.015", "c3x.dev/resources/aws/aws_kinesis_stream"),
		hourly(AuroraACU, "Aurora", "Serverless v2 capacity unit, of which 0.5 is the least without pausing", "0.12", "c3x.dev/blog/aws-aurora-serverless-v2-cost"),
		hourly(RDSMicro, "RDS", "PostgreSQL db.t4g.micro, one zone", "0.016", "infratally.com/articles/aws-rds-pricing-explained-2026.html"),
		monthly(RDSDisk, "RDS", "GB of gp3 disk", "0.115", "usage.ai/blogs/aws/reserved-instances/rds/pricing-calculator (2026-06)"),
		hourly(CacheMicro, "ElastiCache", "Valkey cache.t4g.micro", "0.0128", offerCache),
		hourly(CacheRedis, "ElastiCache", "Redis OSS cache.t4g.micro", "0.016", offerCache),
		cache,
		hourly(SearchSmall, "OpenSearch", "t3.small.search, without disk", "0.036", "public repositories agree (2025); teamaws.com/?p=1428 says about $25 a month (2026)"),
		monthly(SearchDisk, "OpenSearch", "GB of gp3 disk", "0.122", "public repositories agree (2026)"),
		monthly(KMSKey, "KMS", "key", "1", "cloudburn.io/blog/aws-kms-pricing (2026-03)"),
		monthly(Secret, "Secrets Manager", "secret", "0.40", "hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"),
		monthly(HostedZone, "Route 53", "hosted zone, of the first 25", "0.50", "ns1.com/resources/aws-dns"),
		alarm,
		hourly(GatewayCache, "API Gateway", "REST API cache of 0.5 GB", "0.02", pageGateway),
	}
}

// priceOf returns a price of the table; false if it has none of that name.
func priceOf(id ID) (Price, bool) {
	table := Table()
	i := slices.IndexFunc(table, func(p Price) bool { return p.ID == id })
	if i < 0 {
		return Price{}, false
	}
	return table[i], true
}

// month prices so many counted in a month, by tiers, without what is free.
func (p Price) month(counted Amount) Amount {
	var sum, from Amount
	for _, tier := range p.Tiers {
		part := counted.Minus(from)
		if tier.Upto.Sign() > 0 {
			part = least(part, tier.Upto.Minus(from))
		}
		if part.Sign() <= 0 {
			break
		}
		sum = sum.Plus(part.Over(p.Per).Times(tier.Price))
		from = tier.Upto
	}
	return sum
}
