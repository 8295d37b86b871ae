// What an application with the official OpenAI SDK for Node relies on, against a running Headgate.
//
// Prints one JSON object: for each scenario what it found, or why it failed. test_node_sdk.py starts
// it with the addresses in the environment and asserts each.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const { SIMULATED_URL, GATEWAY_URL, HEADGATE_KEY } = process.env;
const client = new OpenAI({ baseURL: SIMULATED_URL, apiKey: HEADGATE_KEY, maxRetries: 0 });
const scripted = new OpenAI({ baseURL: GATEWAY_URL, apiKey: HEADGATE_KEY, maxRetries: 0 });

const model = "gpt-4.1-mini";
const messages = [{ role: "user", content: "When is breakfast, and can my dog come along?" }];
const Ticket = z.object({ summary: z.string(), severity: z.enum(["low", "medium", "high"]) });
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const about = { name: "get_weather", description: "Get the current weather of a city", parameters };
const question = { role: "user", content: "How is the weather in the city of Lisbon today?" };

async function raised(kind, promise) {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof kind, `${error?.constructor?.name}: ${error}`);
    return error;
  }
  throw new Error(`no ${kind.name} was raised`);
}

async function all(stream) {
  const found = [];
  for await (const item of stream) found.push(item);
  return found;
}

const scenarios = {
  async chat() {
    const { data, response, request_id } = await client.chat.completions
      .create({ model, messages, a_field_of_next_year: true })
      .withResponse();
    assert.ok(data.choices[0].message.content);
    assert.equal(data._request_id, request_id);
    assert.equal(response.headers.get("x-headgate-attempts"), "1");
    assert.equal(response.headers.get("x-headgate-target"), `openai/${model}`);
    assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
    return { call_id: response.headers.get("x-headgate-call-id") };
  },

  async chat_stream() {
    const whole = await client.chat.completions.create({ model, messages });
    const chunks = await all(
      await client.chat.completions.create({ model, messages, stream: true }),
    );
    const text = chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join("");
    assert.equal(text, whole.choices[0].message.content);
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && !("usage" in chunk)));
  },

  async chat_stream_with_usage() {
    const chunks = await all(
      await client.chat.completions.create({
        model, messages, stream: true, stream_options: { include_usage: true },
      }),
    );
    const last = chunks.pop();
    assert.deepEqual(last.choices, []);
    assert.ok(last.usage.completion_tokens > 0);
    assert.ok(chunks.every((chunk) => chunk.choices.length === 1 && chunk.usage === null));
  },

  async chat_parse() {
    const answer = await client.chat.completions.parse({
      model, messages, response_format: zodResponseFormat(Ticket, "ticket"),
    });
    Ticket.parse(answer.choices[0].message.parsed);
  },

  async chat_stream_helper() {
    const stream = client.chat.completions.stream({
      model, messages, response_format: zodResponseFormat(Ticket, "ticket"),
    });
    let deltas = 0;
    stream.on("content.delta", () => (deltas += 1));
    const final = await stream.finalChatCompletion();
    assert.ok(deltas > 1);
    Ticket.parse(final.choices[0].message.parsed);
  },

  async chat_tools() {
    const tools = [{ type: "function", function: { ...about, strict: true } }];
    const asked = await client.chat.completions.create({
      model, messages: [question], tools, tool_choice: "required",
    });
    const message = asked.choices[0].message;
    const [call] = message.tool_calls;
    assert.deepEqual(Object.keys(JSON.parse(call.function.arguments)), ["city"]);
    const answered = await client.chat.completions.create({
      model,
      messages: [question, message, { role: "tool", tool_call_id: call.id, content: "24 °C" }],
      tools,
    });
    assert.ok(answered.choices[0].message.content);
  },

  async chat_tool_runner() {
    const cities = [];
    const runner = client.chat.completions.runTools({
      model,
      messages: [question],
      tools: [{
        type: "function",
        function: {
          ...about,
          parse: JSON.parse,
          function: ({ city }) => (cities.push(city), "24 °C and clear"),
        },
      }],
    });
    assert.ok(await runner.finalContent());
    assert.equal(cities.length, 1);
  },

  async responses() {
    const { data, response } = await client.responses
      .create({ model: "gpt-5-mini", input: "When is breakfast?" })
      .withResponse();
    assert.equal(data.status, "completed");
    assert.ok(data.output_text);
    return { call_id: response.headers.get("x-headgate-call-id") };
  },

  async responses_stream() {
    const events = await all(
      await client.responses.create({ model, input: "When is breakfast?", stream: true }),
    );
    assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
    assert.equal(events[0].type, "response.created");
    assert.equal(events.at(-1).type, "response.completed");
  },

  async responses_parse() {
    const answer = await client.responses.parse({
      model, input: "When is breakfast?", text: { format: zodTextFormat(Ticket, "ticket") },
    });
    Ticket.parse(answer.output_parsed);
  },

  async responses_stream_helper() {
    const stream = client.responses.stream({
      model, input: "When is breakfast?", text: { format: zodTextFormat(Ticket, "ticket") },
    });
    let deltas = 0;
    stream.on("response.output_text.delta", () => (deltas += 1));
    const final = await stream.finalResponse();
    assert.ok(deltas > 1);
    Ticket.parse(final.output_parsed);
  },

  async responses_go_on() {
    const first = await client.responses.create({ model, input: "When is breakfast?" });
    const second = await client.responses.create({
      model, input: "And on Sundays?", previous_response_id: first.id,
    });
    assert.equal(second.previous_response_id, first.id);
  },

  async responses_tools() {
    const tools = [{ type: "function", ...about, strict: true }];
    const input = [question];
    const asked = await client.responses.create({ model, input, tools, tool_choice: "required" });
    const call = asked.output.find((item) => item.type === "function_call");
    assert.deepEqual(Object.keys(JSON.parse(call.arguments)), ["city"]);
    input.push(...asked.output, {
      type: "function_call_output", call_id: call.call_id, output: "24 °C",
    });
    const answered = await client.responses.create({ model, input, tools });
    assert.ok(answered.output_text);
  },

  async embeddings() {
    const made = await client.embeddings.create({
      model: "text-embedding-3-small", input: ["red", "green"], dimensions: 64,
    });
    assert.deepEqual(made.data.map((item) => item.embedding.length), [64, 64]);
    assert.ok(made.data[0].embedding.some((value) => value !== 0));
  },

  async moderations() {
    const made = await client.moderations.create({ input: "Good morning!" });
    assert.equal(made.results[0].flagged, false);
  },

  async models() {
    const listed = await all(client.models.list());
    assert.ok(listed.some((found) => found.id === model));
    assert.equal((await client.models.retrieve(model)).id, model);
    await raised(OpenAI.NotFoundError, client.models.retrieve("no-such-model"));
  },

  async errors() {
    const kinds = {
      400: OpenAI.BadRequestError,
      403: OpenAI.PermissionDeniedError,
      404: OpenAI.NotFoundError,
      409: OpenAI.ConflictError,
      422: OpenAI.UnprocessableEntityError,
      429: OpenAI.RateLimitError,
      500: OpenAI.InternalServerError,
      503: OpenAI.InternalServerError,
    };
    for (const [status, kind] of Object.entries(kinds)) {
      const asked = scripted.chat.completions.create({ model: `node-${status}`, messages });
      const error = await raised(kind, asked);
      assert.equal(error.status, Number(status));
      assert.equal(error.code, "the_code");
      assert.ok(error.requestID);
    }
  },

  async wrong_key() {
    const wrong = new OpenAI({ baseURL: GATEWAY_URL, apiKey: "hg_wrong", maxRetries: 0 });
    const error = await raised(OpenAI.AuthenticationError, wrong.responses.create({ model, input: "x" }));
    assert.equal(error.code, "invalid_api_key");
  },

  async retry_after() {
    const patient = new OpenAI({ baseURL: GATEWAY_URL, apiKey: HEADGATE_KEY, maxRetries: 1 });
    const began = Date.now();
    const asked = patient.chat.completions.create({ model: "node-retry-after", messages });
    await raised(OpenAI.RateLimitError, asked);
    assert.ok(Date.now() - began >= 1100, "the SDK did not wait");
  },

  async timeout() {
    const asked = scripted.chat.completions.create(
      { model: "node-timeout", messages }, { timeout: 900 },
    );
    await raised(OpenAI.APIConnectionTimeoutError, asked);
  },

  async broken_chat() {
    const stream = await scripted.chat.completions.create({
      model: "node-broken-chat", messages, stream: true,
    });
    const seen = [];
    const error = await raised(
      OpenAI.APIError,
      (async () => {
        for await (const chunk of stream) seen.push(chunk.choices[0].delta.content);
      })(),
    );
    assert.equal(seen.join(""), "Water");
    assert.match(String(error.code), /^upstream_/);
  },

  async broken_response() {
    const stream = await scripted.responses.create({
      model: "node-broken-response", input: "x", stream: true,
    });
    const seen = [];
    await raised(
      OpenAI.APIError,
      (async () => {
        for await (const event of stream) seen.push(event.sequence_number);
      })(),
    );
    assert.deepEqual(seen, [...seen.keys()]);
    assert.ok(seen.length > 3);
  },

  async broken_stream_helpers() {
    await raised(
      OpenAI.OpenAIError,
      scripted.chat.completions.stream({ model: "node-broken-chat", messages }).done(),
    );
    await raised(
      OpenAI.OpenAIError,
      scripted.responses.stream({ model: "node-broken-response", input: "x" }).done(),
    );
  },

  async disconnect() {
    const stream = await scripted.chat.completions.create({
      model: "node-disconnect", messages, stream: true,
    });
    for await (const _ of stream) break;
  },

  async abort() {
    const controller = new AbortController();
    const asked = scripted.responses.create(
      { model: "node-abort", input: "x" }, { signal: controller.signal },
    );
    // Whoever started this says when the provider has it.
    process.stdin.once("data", () => controller.abort());
    await raised(OpenAI.APIUserAbortError, asked);
  },
};

const found = {};
process.stdin.setEncoding("utf8");
await Promise.all(
  Object.entries(scenarios).map(async ([name, scenario]) => {
    try {
      found[name] = { ok: true, ...(await scenario()) };
    } catch (error) {
      found[name] = { ok: false, why: String(error?.stack ?? error) };
    }
  }),
);
console.log(JSON.stringify(found));
