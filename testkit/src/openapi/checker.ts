// Checks a response of a homeserver against the OpenAPI of the Matrix specification.

import { AssertionError } from "node:assert";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { filesReferredTo, openDocuments, uriOf, type SpecDocuments } from "./documents.ts";
import { readErrcodes } from "./errcodes.ts";
import { matrixFormats } from "./formats.ts";
import { isObject, valueAt } from "./json.ts";
import { openOperations, type DeclaredResponse, type Operation } from "./operations.ts";
import { isAnotherAnswer, outsideTheSpec } from "./outside.ts";

/** A response as a test saw it. */
export type SeenResponse = {
  method: string;
  /** The path of the request, with or without its origin and query. */
  path: string;
  status: number;
  /** The parsed JSON body; undefined where the body is not JSON or is empty. */
  body?: unknown;
};

export type Checker = {
  /**
   * Throws an AssertionError that names the operation, the JSON Pointer into the body, what the schema says and the
   * value there, when the response is not one that the specification allows. Gives the operation that was meant, or
   * undefined for a path outside the specification.
   */
  checkResponse(response: SeenResponse): Operation | undefined;
  /** False where the body is media (a download), or where the path is outside the specification: do not parse it. */
  expectsJson(response: Pick<SeenResponse, "method" | "path" | "status">): boolean;
  /** Every operation of the client-server API, for a table of what the tests covered. */
  operations(): Operation[];
  /** Throws as `checkResponse` does, for one declared response; for the specification's own examples. */
  checkDeclared(operation: Operation, status: number, body: unknown): void;
  /** Throws as `checkResponse` does, for what the server itself sends: the schema is named by its file and its JSON Pointer there. */
  checkSent(what: string, schema: { file: string; pointer: string }, body: unknown): void;
};

type Complaint = { pointer: string; message: string; value: unknown };

const excerpt_characters = 200;
const errorFile = "api/client-server/definitions/errors/error.yaml";
const challengeFile = "api/client-server/definitions/auth_response.yaml";
/** Operations that challenge, as their descriptions say, but declare no answer with status 401. */
const undeclaredChallenges = new Set(["uploadCrossSigningKeys"]);

/** Opens a checker over the specification in `dir` (see `specDir`). Validators are compiled when first needed. */
export function openChecker(dir: string): Checker {
  const documents = openDocuments(dir);
  const index = openOperations(dir, documents);
  const validate = openValidators(documents);
  const errcodes = once(() => readErrcodes(dir));
  const find = (response: Pick<SeenResponse, "method" | "path">) => index.find(response.method, pathOf(response.path));

  const complaintAbout = (operation: Operation | undefined, status: number, body: unknown): Complaint | undefined => {
    const declared = operation?.responses.get(status);
    if (status >= 400) {
      // The challenge of user-interactive authentication is the one error with another shape (and only some
      // operations have one); a missing token at the same operation, with the same status, is a standard error.
      const isChallenge = isObject(body) && "flows" in body && status === 401;
      if (isChallenge && declared !== undefined) return complaintOf(declared, body);
      const mayChallenge = undeclaredChallenges.has(operation?.operationId ?? "");
      if (isChallenge && mayChallenge) return validate({ file: challengeFile, pointer: "" }, body);
      const complaint = validate({ file: errorFile, pointer: "" }, body) ?? checkErrcode(body, errcodes());
      return complaint ?? (status === 401 || declared === undefined ? undefined : complaintOf(declared, body));
    }
    if (declared === undefined) {
      return { pointer: "", message: `the specification declares no answer with status ${status}`, value: body };
    }
    return complaintOf(declared, body);
  };
  const complaintOf = (declared: DeclaredResponse, body: unknown): Complaint | undefined =>
    declared.schema === undefined || declared.otherMedia ? undefined : validate(declared.schema, body);

  return {
    operations: () => index.all(),
    expectsJson: (response) => {
      if (outsideTheSpec(pathOf(response.path)) !== undefined) return response.status >= 400;
      return response.status >= 400 || !find(response).some((each) => each.responses.get(response.status)?.otherMedia);
    },
    checkDeclared: (operation, status, body) => {
      const complaint = complaintAbout(operation, status, body);
      if (complaint !== undefined) throw violation(operation.operationId, { ...operation, status, body }, complaint);
    },
    checkSent: (what, schema, body) => {
      const complaint = validate(schema, body);
      if (complaint !== undefined) throw violation(what, { method: "", path: schema.file, status: 0, body }, complaint);
    },
    checkResponse: (answered) => {
      // Of HTTP itself, at every download: a part of the file is the file, and one that has not changed is none.
      if (answered.status === 304) return undefined;
      const response = answered.status === 206 ? { ...answered, status: 200 } : answered;
      const path = pathOf(response.path);
      const outside = outsideTheSpec(path);
      if (outside !== undefined && !(outside.answersMatrixErrors && response.status >= 400)) return undefined;
      if (isAnotherAnswer(response.path) && response.status < 400) return undefined;
      // Two operations may share a path; the body must suit one of them.
      const operations: (Operation | undefined)[] = outside === undefined ? find(response) : [];
      const candidates = operations.length === 0 ? [undefined] : operations;
      const complaints = candidates.map((each) => complaintAbout(each, response.status, response.body));
      const suiting = complaints.indexOf(undefined);
      if (suiting >= 0) return candidates[suiting];
      const name = candidates.map((each) => each?.operationId ?? "no operation of the specification").join(" or ");
      throw violation(name, response, complaints[0] as Complaint);
    },
  };
}

/** Compiles schemas, with the files that they refer to, and keeps the compiled functions. */
function openValidators(documents: SpecDocuments) {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, logger: false, formats: matrixFormats });
  formats.default(ajv, ["uri", "email", "int64", "int32", "float", "double"]);
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const schema = documents.schema(file);
    ajv.addSchema(schema);
    for (const other of filesReferredTo(file, schema)) load(other);
  };
  const compiled = new Map<string, ValidateFunction>();
  const compile = (at: { file: string; pointer: string }): ValidateFunction => {
    const uri = uriOf(at.file, at.pointer);
    const known = compiled.get(uri);
    if (known !== undefined) return known;
    load(at.file);
    const made = ajv.getSchema(uri);
    if (made === undefined) throw new Error(`The specification has no schema at ${uri}`);
    compiled.set(uri, made);
    return made;
  };
  return (at: { file: string; pointer: string }, body: unknown): Complaint | undefined => {
    if (body === undefined) return { pointer: "", message: "must be JSON, but there is no JSON body", value: body };
    const check = compile(at);
    return check(body) ? undefined : complaintFrom(check.errors ?? [], body);
  };
}

/** Of several errors (the branches of a `oneOf`) the deepest tells most, and of those one about more than the type. */
function complaintFrom(errors: ErrorObject[], body: unknown): Complaint {
  const [deepest] = errors.toSorted((a, b) => weight(b) - weight(a));
  const pointer = deepest?.instancePath ?? "";
  const property: unknown = deepest?.params.additionalProperty ?? deepest?.params.propertyName ?? deepest?.propertyName;
  const about = property === undefined ? "" : ` (${JSON.stringify(property)})`;
  return { pointer, message: `${deepest?.message ?? "is not valid"}${about}`, value: valueAt(body, pointer) };
}

function weight({ instancePath, keyword }: ErrorObject): number {
  return 2 * instancePath.length + (keyword === "type" || keyword === "oneOf" ? 0 : 1);
}

function checkErrcode(body: unknown, known: ReadonlySet<string>): Complaint | undefined {
  const errcode = isObject(body) ? body.errcode : undefined;
  if (typeof errcode !== "string" || (errcode.startsWith("M_") && !known.has(errcode))) {
    return {
      pointer: "/errcode",
      message: "must be a code of the specification, or outside its prefix M_",
      value: errcode,
    };
  }
  return undefined;
}

function violation(operation: string, response: SeenResponse, complaint: Complaint): AssertionError {
  const request = `${response.method} ${response.path}`;
  const excerpt = (JSON.stringify(complaint.value) ?? "nothing").slice(0, excerpt_characters);
  const where = complaint.pointer === "" ? "the body" : complaint.pointer;
  return new AssertionError({
    message: `${operation} (${request}) answered ${response.status}: ${where} ${complaint.message}; it is ${excerpt}`,
    actual: complaint.value,
    operator: "checkResponse",
  });
}

function pathOf(address: string): string {
  const path = address.replace(/^[a-z]+:\/\/[^/?#]+/i, "");
  // The name of v3 before there were versions.
  return (path.split(/[?#]/, 1)[0] ?? "").replace(/^\/_matrix\/(client|media)\/r0\//, "/_matrix/$1/v3/");
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
