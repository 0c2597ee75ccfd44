package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

const (
	// PerSecond is how many requests a second are traced at most.
	PerSecond = 20
	// maxUnderWay bounds the requests that are traced at a time.
	maxUnderWay = 4096
	// maxSpans bounds the spans that wait to be sent.
	maxSpans = 4096
	// sendIn bounds one try to send spans.
	sendIn = 10 * time.Second
	// sayEach is how often at most it is said that spans cannot be sent.
	sayEach = time.Minute
)

// Environment in place of an endpoint leaves it to the variables of OpenTelemetry, such
// as OTEL_EXPORTER_OTLP_ENDPOINT.
const Environment = "env"

// Options are what a tracer works with.
type Options struct {
	// Endpoint is the address of the collector, such as http://127.0.0.1:4318, or
	// Environment. /v1/traces is added where it has no path.
	Endpoint string
	Version  string
	Log      *slog.Logger
}

// Tracer sends spans. Its methods are safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	limit    *rate.Limiter
}

// Open makes a tracer, nil without an endpoint or where OTEL_SDK_DISABLED is true. It
// connects to nobody yet; the error is about the endpoint.
func Open(ctx context.Context, o Options) (*Tracer, error) {
	if off, err := strconv.ParseBool(os.Getenv("OTEL_SDK_DISABLED")); o.Endpoint == "" || err == nil && off {
		return nil, nil
	}
	opts := []otlptracehttp.Option{
		otlptracehttp.WithTimeout(sendIn),
		otlptracehttp.WithProxy(func(*http.Request) (*url.URL, error) { return nil, nil }),
	}
	if o.Endpoint != Environment {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, errors.New("want the address of a collector, such as http://127.0.0.1:4318")
		}
		if strings.Trim(u.Path, "/") == "" {
			u = u.JoinPath("/v1/traces")
		}
		opts = append(opts, otlptracehttp.WithEndpointURL(u.String()))
	}
	exporter, err := otlptracehttp.New(ctx, opts...)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "amble"), attribute.String("service.version", o.Version)),
		resource.WithHost(), resource.WithFromEnv()) // the environment has the last word
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	var said atomic.Int64
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		now, last := time.Now().UnixNano(), said.Load()
		if now-last > int64(sayEach) && said.CompareAndSwap(last, now) {
			o.Log.Warn("traces could not be sent", "error", err)
		}
	}))
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithBatcher(exporter,
		sdk.WithMaxQueueSize(maxSpans), sdk.WithExportTimeout(sendIn), sdk.WithBatchTimeout(2*time.Second)))
	return &Tracer{provider, provider.Tracer("github.com/amblecrawl/amble"), rate.NewLimiter(PerSecond, PerSecond)}, nil
}

// Close sends what is left, for as long as within says.
func (t *Tracer) Close(within time.Duration) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return t.provider.Shutdown(ctx)
}

// Begin begins the span of a run; hide takes out of a URL what nobody is to read.
func (t *Tracer) Begin(crawl, run string, hide func(string) string) *Run {
	if t == nil {
		return nil
	}
	_, span := t.tracer.Start(context.Background(), "run "+crawl, trace.WithAttributes(attribute.String("amble.crawl", crawl), attribute.String("amble.run", run)))
	return &Run{tracer: t, span: span, crawl: crawl, hide: hide, queue: newQueue(), underWay: map[any]*visit{}, settled: map[uint64]*visit{}}
}

// fail marks a span as failed.
func fail(span trace.Span, why string) { span.SetStatus(codes.Error, why) }
