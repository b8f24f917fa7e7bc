/**
 * What components need of the Pulumi SDK, from its own files: as a whole it loads npm's package resolver and more, which
 * takes 0.4 s of every run and is for functions that are sent elsewhere. A program that wants all of it loads all of it.
 */
import { isDryRun } from "@pulumi/pulumi/runtime/settings";
import { getStackResource } from "@pulumi/pulumi/runtime/stack";

export * from "@pulumi/pulumi/config";
export * from "@pulumi/pulumi/errors";
export * as log from "@pulumi/pulumi/log";
export * from "@pulumi/pulumi/metadata";
export * from "@pulumi/pulumi/output";
export * from "@pulumi/pulumi/resource";

export const runtime = { isDryRun, getStackResource };
