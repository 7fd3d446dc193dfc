//! Lists that are indexed by an id type of their own, so that no list is read at the place of another.

use std::marker::PhantomData;
use std::ops::{Deref, Index, IndexMut};

/// The place of an element in one kind of list. [`id_type!`](crate::id_type) makes such types.
pub trait Id: Copy + Eq {
    /// The id of the element at that place.
    fn at(place: usize) -> Self;

    /// The place of the element.
    fn place(self) -> usize;
}

/// Declares a type for the places of one kind of list: four bytes, so that long lists of them stay small.
#[macro_export]
macro_rules! id_type {
    ($(#[$meta:meta])* $visible:vis struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visible struct $name(u32);

        impl $crate::Id for $name {
            fn at(place: usize) -> Self {
                Self(u32::try_from(place).expect("invariant: a list has fewer than 2³² elements"))
            }

            fn place(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// A list that only `I` indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdVec<I, T> {
    elements: Vec<T>,
    index: PhantomData<fn(I) -> I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            elements: Vec::new(),
            index: PhantomData,
        }
    }

    /// A list with the same element for each place of another.
    pub fn filled<U>(element: T, other: &IdVec<I, U>) -> Self
    where
        T: Clone,
    {
        vec![element; other.len()].into()
    }

    /// Adds an element, whose id is returned.
    pub fn push(&mut self, element: T) -> I {
        let id = I::at(self.elements.len());
        self.elements.push(element);
        id
    }

    /// Every id, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.elements.len()).map(I::at)
    }

    /// Every element with its id, in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.ids().zip(&self.elements)
    }

    /// Every element, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.elements.iter_mut()
    }

    /// The elements as a plain list.
    pub fn as_slice(&self) -> &[T] {
        &self.elements
    }
}

impl<I: Id> IdVec<I, bool> {
    /// The ids of those that are set.
    pub fn set_ids(&self) -> impl Iterator<Item = I> {
        self.entries()
            .filter_map(|(id, &is_set)| is_set.then_some(id))
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, T> From<Vec<T>> for IdVec<I, T> {
    fn from(elements: Vec<T>) -> Self {
        Self {
            elements,
            index: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<E: IntoIterator<Item = T>>(elements: E) -> Self {
        Vec::from_iter(elements).into()
    }
}

impl<I, T> Extend<T> for IdVec<I, T> {
    fn extend<E: IntoIterator<Item = T>>(&mut self, elements: E) {
        self.elements.extend(elements);
    }
}

impl<I, T> Deref for IdVec<I, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.elements
    }
}

impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.elements[id.place()]
    }
}

impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.elements[id.place()]
    }
}

impl<'a, I, T> IntoIterator for &'a IdVec<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.iter()
    }
}

impl<I, T> IntoIterator for IdVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.into_iter()
    }
}
