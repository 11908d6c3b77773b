// A small site on the chi router.
package main

import (
	"encoding/json"
	"html/template"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

func main() {
	page := template.Must(template.ParseFiles("templates/index.html"))

	r := chi.NewRouter()
	r.Use(middleware.Logger)
	r.Get("/", func(w http.ResponseWriter, _ *http.Request) {
		_ = page.Execute(w, "from chi")
	})
	r.Get("/hello/{name}", func(w http.ResponseWriter, req *http.Request) {
		_ = page.Execute(w, chi.URLParam(req, "name"))
	})
	r.Get("/api/time", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]time.Time{"time": time.Now().UTC()})
	})

	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	log.Fatal(http.ListenAndServe(":"+port, r))
}
