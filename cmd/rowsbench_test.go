package cmd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkRows enriches rows by an API that takes 20 ms for an answer, 64 in flight:
// 3,200 rows a second at best.
func BenchmarkRows(b *testing.B) {
	const rows = 4000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id": %q}`, r.URL.Query().Get("id"))
	}))
	defer server.Close()
	host := server.Listener.Addr().String()
	for b.Loop() {
		dir := b.TempDir()
		data := bytes.NewBufferString("id\n")
		for i := range rows {
			fmt.Fprintln(data, i)
		}
		config := fmt.Sprintf(`
seeds: {rows: rows.csv, url: "http://%[1]s/?id={{id}}"}
extract: {answer: {plugin: json, fields: {echo: $.id}}}
politeness: {contact: https://me.example, hosts: {%[1]q: {api: true, delay: 0s, concurrency: 64}}}
fetch: {allow_private: true}
`, host)
		for name, text := range map[string]string{"crawl.yaml": config, "rows.csv": data.String()} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		cmd := exec.CommandContext(b.Context(), "amble", "run", "crawl.yaml")
		cmd.Dir = dir
		begun := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		b.ReportMetric(rows/time.Since(begun).Seconds(), "rows/s")
		b.ReportMetric((cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()).Seconds()*1000/rows, "CPU-ms/row")
	}
}
