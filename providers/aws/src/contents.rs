//! What keeps objects of AWS from being deleted: objects in buckets, images in repositories, and what a cluster made by itself.

use terrane_core::{ContentsLookup, Holding, Value};

/// How many objects of a bucket are asked for: enough to show that there are some.
const SOME: i64 = 100;

pub(crate) const CONTENTS: &[ContentsLookup] = &[
    ContentsLookup {
        type_name: "aws_s3_bucket",
        words: ("object", "objects"),
        holds: Holding::Inside {
            emptied_by: "force_destroy",
            may_hide: keeps_versions,
        },
        data_source: "aws_s3_objects",
        config: |bucket| {
            let name = text(bucket, "bucket")?;
            Some(Value::map([("bucket", name), ("max_keys", SOME.into())]))
        },
        names: |found| texts(found, "keys"),
        described_by: None,
        otherwise: None,
    },
    ContentsLookup {
        type_name: "aws_ecr_repository",
        words: ("image", "images"),
        holds: Holding::Inside {
            emptied_by: "force_delete",
            may_hide: |_| false,
        },
        data_source: "aws_ecr_images",
        config: |repository| {
            let name = text(repository, "name")?;
            Some(Value::map([("repository_name", name)]))
        },
        names: image_names,
        described_by: None,
        otherwise: Some(&NEWEST_IMAGE),
    },
    ContentsLookup {
        type_name: "aws_vpc",
        words: ("load balancer", "load balancers"),
        holds: Holding::Attached {
            remedy: "delete the services and ingresses that made them, with `kubectl delete`, and wait until they are gone",
        },
        data_source: "aws_network_interfaces",
        config: |vpc| {
            Some(filters([
                ("vpc-id", text(vpc, "id")?),
                ("description", "ELB *".into()),
            ]))
        },
        names: |found| texts(found, "ids"),
        described_by: Some(("aws_network_interface", "description")),
        otherwise: None,
    },
    ContentsLookup {
        type_name: "aws_eks_cluster",
        words: ("volume", "volumes"),
        holds: Holding::Attached {
            remedy: "delete the claims that made them, with `kubectl delete pvc`, or they stay and cost after the cluster is gone",
        },
        data_source: "aws_ebs_volumes",
        config: |cluster| {
            let name = text(cluster, "name")?;
            let tag = format!("tag:kubernetes.io/cluster/{}", name.as_str()?);
            Some(filters([
                (&*tag, "owned".into()),
                ("tag-key", "kubernetes.io/created-for/pvc/name".into()),
            ]))
        },
        names: |found| texts(found, "ids"),
        described_by: None,
        otherwise: None,
    },
];

/// A repository of a provider without `aws_ecr_images`: it knows the tags of the newest image.
const NEWEST_IMAGE: ContentsLookup = ContentsLookup {
    type_name: "aws_ecr_repository",
    words: ("image or more", "images or more"),
    holds: Holding::Inside {
        emptied_by: "force_delete",
        // Images may be without tags.
        may_hide: |_| true,
    },
    data_source: "aws_ecr_repository",
    config: |repository| Some(Value::map([("name", text(repository, "name")?)])),
    names: |found| {
        let tags = texts(found, "most_recent_image_tags");
        let newest = (!tags.is_empty()).then(|| tags.join(" "));
        newest.into_iter().collect()
    },
    described_by: None,
    otherwise: None,
};

/// With versions, a bucket holds those that were replaced or deleted, too, which no list of objects shows.
fn keeps_versions(bucket: &Value) -> bool {
    let versioning = bucket.get("versioning").and_then(Value::elements);
    let first = versioning.and_then(|blocks| blocks.first());
    first.and_then(|block| block.get("enabled")?.as_bool()) != Some(false)
}

/// The tag of each image, and the digest of one without.
fn image_names(found: &Value) -> Vec<String> {
    let images = found.get("image_ids").and_then(Value::elements);
    let name = |image: &Value| {
        let tag = text(image, "image_tag").or_else(|| text(image, "image_digest"));
        tag.and_then(|tag| Some(tag.as_str()?.to_owned()))
    };
    images.unwrap_or(&[]).iter().filter_map(name).collect()
}

/// An attribute that is a text with something in it.
fn text(object: &Value, attribute: &str) -> Option<Value> {
    let value = object.get(attribute)?;
    let is_set = value.as_str().is_some_and(|text| !text.is_empty());
    is_set.then(|| value.clone())
}

fn texts(found: &Value, attribute: &str) -> Vec<String> {
    let elements = found.get(attribute).and_then(Value::elements);
    let texts = elements.unwrap_or(&[]).iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// Filters of EC2, each with one value.
fn filters<const N: usize>(filters: [(&str, Value); N]) -> Value {
    let filters = filters.map(|(name, value)| {
        Value::map([
            ("name", Value::from(name)),
            ("values", Value::list(vec![value])),
        ])
    });
    Value::map([("filter", Value::list(filters.into()))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_lists_no_images_tells_the_tags_of_the_newest() {
        let repository = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| Value::from(*tag)).collect();
            Value::map([("most_recent_image_tags", Value::list(tags))])
        };
        let names = |tags: &[&str]| (NEWEST_IMAGE.names)(&repository(tags));
        assert_eq!(names(&["v2", "latest"]), ["v2 latest"]);
        // It may have images without tags.
        assert!(names(&[]).is_empty());
        let Holding::Inside { may_hide, .. } = NEWEST_IMAGE.holds else {
            panic!("images are inside");
        };
        assert!(may_hide(&Value::Null));
    }
}
