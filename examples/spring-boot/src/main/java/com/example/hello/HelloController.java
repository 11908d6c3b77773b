package com.example.hello;

import java.time.Instant;
import java.util.Map;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class HelloController {
  @GetMapping("/")
  public String index() {
    return "Hello from Spring Boot";
  }

  @GetMapping("/hello/{name}")
  public String hello(@PathVariable("name") String name) {
    return "Hello, " + name + "!";
  }

  @GetMapping("/api/time")
  public Map<String, Instant> time() {
    return Map.of("time", Instant.now());
  }
}
